"""The requests of a run and the answers to them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from time import perf_counter
from uuid import UUID

from chatrecord.hooks.hook import Hook
from chatrecord.llm.pieces import Snapshot
from chatrecord.llm.port import Answer, Failure
from chatrecord.records import ApiRequest, Chunk, Ending, Message, Run, Usage
from chatrecord.runs.stores import LedgerStore
from chatrecord.spending.budgets import Budget
from chatrecord.spending.limits import Limits
from chatrecord.spending.pricing import LIST_PRICES, PriceList
from chatrecord.spending.usage import together, usage_of
from chatrecord.values import Target

from .budget_reservation import BudgetReservations
from .fenced_writer import FencedWriter
from .policies import Deliver
from .recorded_calls import RecordedCalls
from .row_changes import (
    answered,
    closed_request,
    continued,
    empty_answer,
    opened_request,
    status_after,
)

_SAME_TIME = timedelta(seconds=1)
"""How late a request may be sent after its row was made, and keep the time of its row."""


class RecordedRequests(RecordedCalls):
    """Each attempt is a row before it is sent, and so is the answer that it asks for."""

    def __init__(
        self,
        store: LedgerStore,
        run: Run,
        *,
        lease: timedelta,
        patience: float,
        limits: Limits,
        chat_usage: Usage,
        deliver: Deliver = "stored",
        budgets: Sequence[Budget] = (),
        prices: PriceList = LIST_PRICES,
        hooks: Sequence[Hook] = (),
    ) -> None:
        super().__init__(run, FencedWriter(store, lease, patience), deliver, limits)
        self.requests: dict[UUID, ApiRequest] = {}
        self.side_requests: dict[UUID, ApiRequest] = {}
        self._children: list[RecordedRequests] = []
        self.prices = prices
        self._chat_usage = chat_usage
        self._budgets = BudgetReservations(store, budgets, prices, hooks)
        self._request_flush: Callable[[], None] = _ignore
        self._mark_request_sent: Callable[[], None] = _ignore
        self._request: ApiRequest | None = None
        self._paused: Answer | None = None
        """What came of an answer that its provider paused; its row streams until it has ended."""
        self._sent = True
        self._step = 0
        self._clock = perf_counter()

    def subscribe(
        self,
        deliver: Callable[[Sequence[Chunk]], None],
        request_flush: Callable[[], None],
        mark_request_sent: Callable[[], None],
    ) -> None:
        """Set the receiver of stored chunks, and the request for a flush.

        `mark_request_sent` is called before the request is sent.
        """
        self._chunks.deliver = deliver
        self._request_flush, self._mark_request_sent = request_flush, mark_request_sent

    @property
    def usage(self) -> Usage:
        """What the run has used so far, with its side requests and the runs in its tools."""
        used = usage_of([*self.requests.values(), *self.side_requests.values()])
        for child in self._children:
            used = together(used, child.usage)
        return used

    def add_child(self, child: RecordedRequests) -> None:
        """A tool of this run has asked another chat: what that spends is spent by this run, too."""
        self._children.append(child)

    def writes_to(self, store: object) -> bool:
        """Whether this is where the rows of the run are."""
        return self._writing.store is store

    def ids(self) -> dict[str, UUID]:
        ids = {
            "chat_id": self.run.chat_id,
            "run_id": self.run.id,
            "message_id": self.answer.id,
        }
        return ids if self._request is None else {**ids, "request_id": self._request.id}

    async def open_request(
        self, target: Target, *, estimate: Callable[[], int], continues: bool = False
    ) -> None:
        self._check_goes_on()
        if self._paused is not None and not continues:
            self._end_paused("failed")  # such as where a fallback asks another model anew
        again = self.answer.status in ("failed", "interrupted")
        if not again and self._paused is None:
            self._step += 1
            self._limits.check_steps(self._step)
        self._check_spending(target, estimate)
        reserved = await self._reserved(target) if self._budgets.budgets else None
        if self._sent:
            if self._paused is None:
                self._open_answer(target, again=again or continues)
            self._open_another(target, reserved)
            await self.commit()
        else:
            self._open_first(target, reserved)
        self._mark_request_sent()
        self._clock = perf_counter()

    def watch(self, snapshot: Snapshot) -> None:
        assert self._request is not None
        self._chunks.watch(self.answer.id, snapshot)
        if self._request.streamed:
            self._request = replace(self._request, first_token_ms=self._elapsed_ms())
        self._request_flush()

    def grow(self, characters: int) -> bool:
        return self._chunks.grow(characters)

    async def wait_for_room(self) -> None:
        await self._chunks.wait_for_room()

    def close_request(self, answer: Answer | None, failure: Failure | None = None) -> None:
        streamed = self._chunks.unwatch()
        assert self._request is not None
        status = status_after(failure)
        request = closed_request(
            self._request, answer, failure, status, self._elapsed_ms(), prices=self.prices
        )
        self.requests[request.id] = request
        self._request = None
        self._changes.put(request)
        whole = continued(self._paused, answer)
        if whole is not None and failure is None and whole.is_paused:
            self._paused = whole
        elif self._paused is None or streamed is not None:
            self._end_answer(whole, status, streamed)
        if answer is not None and failure is None and not answer.is_paused:
            self._expect_calls(answer.calls)

    # Requests outside the transcript: see `chatrecord.runs.compaction.RunLedger`

    async def open_side_request(
        self, request: ApiRequest, target: Target, *, estimate: Callable[[], int]
    ) -> None:
        self._check_goes_on()
        self._check_spending(target, estimate)
        if self._budgets.budgets:
            if self.side_requests:
                await self.commit()  # the request before this one has ended: its row must say so
            await self._reserve(request)
            return
        self._changes.add(request)
        try:
            await self.commit()
        except BaseException:
            self._changes.new.pop(request.id, None)
            self._changes.never_sent.add(request.id)
            raise

    def note(self, record: ApiRequest) -> None:
        self.side_requests[record.id] = record
        self._changes.put(record)

    def add_summary(self, summary: Message) -> None:
        self._changes.add(summary)

    def forget(self, summary: Message) -> None:
        self._changes.new.pop(summary.id, None)

    # Helpers

    def _check_spending(self, target: Target, estimate: Callable[[], int]) -> None:
        if not self._limits.need_usage:
            return
        used = self.usage
        self._limits.check_spending(
            target,
            estimate=estimate,
            run=used,
            chat=together(self._chat_usage, used),
            prices=self.prices,
        )

    async def _reserved(self, target: Target) -> ApiRequest:
        """A request that is stored because every budget allowed it."""
        request = opened_request(self.run, self.answer.id, target)
        if self._sent or self.side_requests:
            await self.commit()  # the request before this one has ended: its row must say so
        await self._reserve(request)
        return request

    async def _reserve(self, request: ApiRequest) -> None:
        try:
            await self._budgets.reserve(request, self._new_lease, self.lock)
        except BaseException:
            self._changes.never_sent.add(request.id)  # it may be stored all the same
            raise

    def _open_first(self, target: Target, reserved: ApiRequest | None) -> None:
        """The first request and its answer are rows already."""
        opened = reserved or self._request
        assert opened is not None
        self._sent = True
        self._request = replace(
            opened,
            model=target.model,
            provider=target.provider,
            streamed=target.streamed,
            started_at=_sent_at(opened.started_at),
        )

    def _open_answer(self, target: Target, *, again: bool) -> None:
        answer = self.answer
        if again and not (answer.text or answer.reasoning):
            self._put_message(replace(answer, status="streaming", finished_at=None))
        else:
            if again:
                self._put_message(replace(answer, status="superseded"))
            self._add_message(empty_answer(self.run, target, seq=self._next_seq()))

    def _open_another(self, target: Target, reserved: ApiRequest | None) -> None:
        if reserved is None:
            self._request = opened_request(self.run, self.answer.id, target)
            self._changes.add(self._request)
        else:
            self._request = replace(reserved, message_id=self.answer.id)
            self._changes.put(self._request)

    def _end_answer(
        self, answer: Answer | None, status: Ending, streamed: tuple[str, str | None] | None
    ) -> None:
        self._paused = None
        ended = answered(self.answer, answer, status, streamed)
        self._put_message(ended)
        if answer is not None:
            self._chunks.complete(ended.id, answer.body.content)

    def _end_paused(self, status: Ending) -> None:
        """Nothing continues the answer that was paused."""
        self._end_answer(self._paused, status, self._chunks.said)

    def _elapsed_ms(self) -> float:
        return (perf_counter() - self._clock) * 1000


def _sent_at(opened_at: datetime) -> datetime:
    """Now, or when its row was made: the time is in an index, and every entry costs its log."""
    now = datetime.now(UTC)
    return opened_at if abs(now - opened_at) < _SAME_TIME else now


def _ignore() -> None:
    """Before anybody waits."""
