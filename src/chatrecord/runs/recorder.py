"""Turns what an LLM adapter reports into rows: the requests, messages and tool calls of one run."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from contextvars import copy_context
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from time import perf_counter
from uuid import UUID

from chatrecord.errors import RunInterrupted
from chatrecord.hooks.hook import Hook
from chatrecord.llm.pieces import Snapshot
from chatrecord.llm.port import Answer, Body, Failure
from chatrecord.records import (
    ApiRequest,
    Chunk,
    Ending,
    Json,
    Message,
    Run,
    ToolCall,
    ToolCallStatus,
    Usage,
)
from chatrecord.runs.stores import LedgerStore
from chatrecord.spending.budgets import Budget
from chatrecord.spending.limits import Limits
from chatrecord.spending.pricing import LIST_PRICES, PriceList
from chatrecord.spending.usage import together, usage_of
from chatrecord.store.changes import Changes, JournalEntry, Lease
from chatrecord.store.rows import RunRows, RunStart
from chatrecord.text.redaction import text_of
from chatrecord.values import Call, Target

from .budget_reservation import BudgetReservations
from .cancellation import run_to_completion
from .chunk_buffer import ChunkBuffer
from .fenced_writer import FencedWriter
from .policies import Deliver
from .reduction import Reduction
from .row_changes import (
    answered,
    closed_request,
    continued,
    empty_answer,
    ended_call,
    opened_request,
    pending_call,
    reopened_call,
    status_after,
    whole_message,
)
from .tool_answers import answered_by, calls_of, calls_without_result

# More than 400 lines: it is what one LLM adapter talks to, and each event of a run is a method.


class RunRecorder:
    """Implements `chatrecord.llm.port.Recorder` for one run, and feeds the journal.

    Rows change in memory first (`_changes`) and go out together with the next commit. Chunks wait
    (`_chunks`) until a commit or a flush of the journal has stored what they show.
    """

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
        self.lock = asyncio.Lock()
        self.run = run
        self.messages: list[Message] = []
        self.requests: dict[UUID, ApiRequest] = {}
        self.side_requests: dict[UUID, ApiRequest] = {}
        self.tool_calls: dict[str, ToolCall] = {}
        self.calls_without_result: dict[str, ToolCall] = {}
        self._store = store
        # A connection that is opened in a commit keeps the context it was opened in, as long as it
        # is in the pool. The LLM library's holds the whole run: this one is from before that.
        self._context = copy_context()
        self._writing = FencedWriter(store, lease, patience)
        self._limits = limits
        self._chat_usage = chat_usage
        self._budgets = BudgetReservations(store, budgets, prices, hooks)
        self.prices = prices
        self._chunks = ChunkBuffer(is_early=deliver == "early")
        self._request_flush: Callable[[], None] = _ignore
        self._mark_request_sent: Callable[[], None] = _ignore
        self._changes = Changes(run.chat_id)
        self._request: ApiRequest | None = None
        self._paused: Answer | None = None
        """What came of an answer that its provider paused; its row streams until it has ended."""
        self._sent = True
        self._given_up = False
        self._settled = 0
        self._step = 0
        self._clock = perf_counter()

    def begin(self, start: RunStart, seq: int) -> None:
        """A new run, whose first rows are there: its prompt, an empty answer, a request."""
        opening = enumerate(start.opening, start=seq)
        self.messages = [replace(message, seq=number) for number, message in opening]
        self._request = start.request
        self._sent = False

    def go_on(self, rows: RunRows) -> None:
        """A run that was begun before: its rows as they are."""
        self.messages = list(rows.messages)
        self.requests = {request.id: request for request in rows.requests}
        self.tool_calls = {str(call.id): call for call in rows.tool_calls}
        calls = calls_without_result(self.answer, self.messages, rows.tool_calls)
        self.calls_without_result = {call.call_id: call for call in calls}
        is_empty = self.answer.status != "complete" and not self.answer.text
        self._settled = len(self.messages) - is_empty

    def repeat(
        self, names: Collection[str], answers: Callable[[Sequence[ToolCall]], Body]
    ) -> set[str]:
        """Open the interrupted calls of these tools again; their ids.

        What answered them is replaced by a message that answers the others.
        """
        calls = calls_of(self.answer, self.tool_calls.values())
        again = {
            call.call_id: call
            for call in calls
            if call.status == "interrupted" and call.name in names
        }
        after = [message for message in self.messages if message.seq > self.answer.seq]
        for message in after:
            answered = answered_by(message)
            if answered.isdisjoint(again):
                continue
            self._put_message(replace(message, status="superseded"))
            others = [call for call in calls if call.call_id in answered - again.keys()]
            if others:
                self._add_message(whole_message(self.run, self._next_seq(), answers(others)))
        for call in again.values():
            self._put_tool_call(reopened_call(call))
        if again:
            self._settled = len(self.messages)
            self._limits.check_tool_calls(len(self.tool_calls))
        return set(again)

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
    def answer(self) -> Message:
        """The answer that is being written, or was written last."""
        return next(message for message in reversed(self.messages) if message.role == "assistant")

    def row_of(self, call: Call) -> ToolCall:
        """The row of a call, or a new one."""
        return self.calls_without_result.get(call.call_id) or pending_call(call, self.answer)

    @property
    def usage(self) -> Usage:
        """What the run has used so far, side requests included."""
        return usage_of([*self.requests.values(), *self.side_requests.values()])

    # Requests outside the transcript: see `chatrecord.runs.compaction.RunLedger`

    @property
    def chat_id(self) -> UUID:
        """The chat of the run."""
        return self.run.chat_id

    @property
    def run_id(self) -> UUID:
        """The run's id."""
        return self.run.id

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

    # What the LLM adapter reports

    def ids(self) -> dict[str, UUID]:
        ids = {
            "chat_id": self.run.chat_id,
            "run_id": self.run.id,
            "message_id": self.answer.id,
        }
        return ids if self._request is None else {**ids, "request_id": self._request.id}

    def describe(self, *, instructions: str | None, settings: Json) -> None:
        kept = self.run.settings if isinstance(self.run.settings, dict) else {}
        added = settings if isinstance(settings, dict) else {}
        self.run = replace(self.run, instructions=instructions, settings={**kept, **added})
        self._changes.put(self.run)

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

    def _check_spending(self, target: Target, estimate: Callable[[], int]) -> None:
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
            started_at=datetime.now(UTC),
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

    def _end_answer(
        self, answer: Answer | None, status: Ending, streamed: tuple[str, str | None] | None
    ) -> None:
        self._paused = None
        ended = answered(self.answer, answer, status)
        if streamed is not None:  # what is stored is what was streamed, whatever the answer says
            ended = replace(ended, text=streamed[0], reasoning=streamed[1])
        self._put_message(ended)
        if answer is not None:
            self._chunks.complete(ended.id, answer.body.content)

    def _end_paused(self, status: Ending) -> None:
        """Nothing continues the answer that was paused."""
        self._end_answer(self._paused, status, self._chunks.said)

    def _expect_calls(self, calls: Sequence[Call]) -> None:
        self.calls_without_result = {}
        for call in calls:
            expected = pending_call(call, self.answer)
            self.tool_calls[str(expected.id)] = expected
            self.calls_without_result[call.call_id] = expected
            self._changes.add(expected)
        self._limits.check_tool_calls(len(self.tool_calls))

    def add_message(self, body: Body) -> None:
        self._check_goes_on()
        self._add_message(whole_message(self.run, self._next_seq(), body))
        self.calls_without_result = {}

    async def start_tool(self, call: Call) -> None:
        self._check_goes_on()
        expected = self.calls_without_result.get(call.call_id) or self._unexpected(call)
        started = replace(
            expected, status="running", arguments=call.arguments, started_at=datetime.now(UTC)
        )
        self._put_tool_call(started)
        self._chunks.add_call(started, "tool_call")
        await self.commit()

    def _unexpected(self, call: Call) -> ToolCall:
        """A call that the model did not make itself, but a tool of its tools."""
        expected = pending_call(call, self.answer)
        self._changes.add(expected)
        return expected

    async def end_tool(
        self, call_id: str, *, result: Json = None, error: str | None = None
    ) -> None:
        self.close_tool(call_id, result=result, error=error)
        await self.commit()

    async def deny_tool(self, call: Call, reason: str) -> None:
        self._check_goes_on()
        expected = self.calls_without_result.get(call.call_id) or self._unexpected(call)
        denied = replace(expected, status="denied", error=reason, finished_at=datetime.now(UTC))
        self._put_tool_call(denied)
        self._chunks.add_call(denied, "tool_call", "tool_result")
        await self.commit()

    def close_tool(
        self,
        call_id: str,
        *,
        result: Json = None,
        error: str | None = None,
        is_denied: bool = False,
    ) -> None:
        open_call = self.calls_without_result.get(call_id)
        if open_call is None or open_call.status not in ("pending", "running", "awaiting_approval"):
            return
        status: ToolCallStatus = "failed" if error is not None else "complete"
        ended = ended_call(open_call, "denied" if is_denied else status, result, error)
        self._put_tool_call(ended)
        self._chunks.add_call(ended, "tool_result")

    # What the journal asks for

    def entries(self) -> list[JournalEntry]:
        return self._chunks.entries()

    def stored(self) -> None:
        self._chunks.stored()

    # The last transaction

    def settle(self, bodies: Sequence[Body]) -> None:
        """Give the run's messages their final form, and add those that were not reported."""
        if self._paused is not None:
            self._end_paused("complete")  # a run that ends with a job of the provider under way
        recent = self.messages[self._settled :]
        standing = [message for message in recent if message.status != "superseded"]
        for message, body in zip(standing, bodies, strict=False):
            if message.content != body.content:
                self._put_message(replace(message, content=body.content, format=body.format))
        for body in bodies[len(standing) :]:
            message = whole_message(self.run, self._next_seq(), body)
            self._add_message(message)
            for call_id in answered_by(message):
                self.calls_without_result.pop(call_id, None)

    def park(self, call_ids: Sequence[str]) -> None:
        """These calls wait for approval."""
        for call in list(self.tool_calls.values()):
            if call.call_id in call_ids and call.status in ("pending", "running"):
                self._put_tool_call(replace(call, status="awaiting_approval", started_at=None))

    def give_up(self, error: BaseException, answers: Callable[[Sequence[ToolCall]], Body]) -> None:
        """Leave nothing open: the answer, its request, and every tool call get an ending."""
        status: Ending = "interrupted" if isinstance(error, RunInterrupted) else "failed"
        if self._request is not None and self._sent:
            self.close_request(None, Failure(RunInterrupted(text_of(error)), type(error).__name__))
        if self._paused is not None:
            self._end_paused(status)
        elif self.answer.status == "streaming":
            self._put_message(replace(self.answer, status=status, finished_at=datetime.now(UTC)))
        for call in self.calls_without_result.values():
            if call.status in ("pending", "running", "awaiting_approval"):
                self._put_tool_call(ended_call(call, "interrupted", None, None))
        if self.calls_without_result:
            calls = [self.tool_calls[str(call.id)] for call in self.calls_without_result.values()]
            self.add_message(answers(calls))
        self._given_up = True

    def _check_goes_on(self) -> None:
        """Raise in whatever did not let go of the run when it was given up, and goes on."""
        if self._given_up:
            msg = f"Run {self.run.id} has ended: nothing more is asked or run in it"
            raise RunInterrupted(msg)

    def replace_from(self, first: int) -> None:
        """The run completed: the messages that it replaces are superseded."""
        self._changes.superseded = (first, self.messages[0].seq)

    def withdraw(self) -> None:
        """The run did not complete: the messages that it was to replace stay valid."""
        for message in self.messages:
            self._put_message(replace(message, status="superseded"))

    def end(self, run: Run) -> None:
        """The run is over."""
        self.run = run
        for call in list(self.tool_calls.values()):
            is_open = call.status in ("pending", "running", "awaiting_approval")
            if is_open and (run.status != "parked" or call.status != "awaiting_approval"):
                self._put_tool_call(ended_call(call, "interrupted", None, None))
        self._changes.put(run)
        if not self._sent and self._request is not None:
            self._changes.never_sent.add(self._request.id)

    async def commit(self) -> None:
        """Write all changes in one transaction, then hand on the chunks that show them.

        Changes made by calls that run side by side go out together.
        """
        await run_to_completion(self._committed(), self._context)

    async def _committed(self) -> None:
        try:
            await self._commit()
        except asyncio.CancelledError:  # the end of a loop cancels every task, and waits for them
            await self._commit()

    async def _commit(self) -> None:
        async with self.lock:
            await asyncio.sleep(0)
            changes, self._changes = self._changes, Changes(self.run.chat_id)
            # By these changes: more may come while they are written.
            shown = self._chunks.before(self._open_answer_id())
            began = perf_counter()
            changes.journaled = self._whole_by(changes)
            try:
                await self._writing.write(changes, self._new_lease())
            except BaseException:
                self._changes = changes.followed_by(self._changes)
                raise
            self._chunks.journaled -= changes.journaled
            if shown:
                self._chunks.hand_on(shown, since=began)

    def _new_lease(self) -> Lease:
        return self._writing.next_lease(self.run)

    def reduce(self, reduction: Reduction) -> bool:
        """Drop one value that the database may refuse. Returns whether there was one.

        The run still gets an end, and its text.
        """
        less = reduction.next(self._changes, self._last_called())
        if isinstance(less, Message):
            self._put_message(less)
        elif isinstance(less, ToolCall):
            self._put_tool_call(less)
        elif isinstance(less, Run):
            self.run = less
            self._changes.put(less)
        return less is not None

    # Helpers

    def _last_called(self) -> list[ToolCall]:
        """The calls of the last answer that made any."""
        calls = list(self.tool_calls.values())
        return [call for call in calls if call.message_id == calls[-1].message_id]

    def _whole_by(self, changes: Changes) -> set[UUID]:
        written = {*changes.new, *changes.changed}
        open_answer = self._open_answer_id()
        return {
            message
            for message in self._chunks.journaled
            if message in written and message != open_answer
        }

    def _open_answer_id(self) -> UUID | None:
        return self.answer.id if self.answer.status == "streaming" else None

    def _next_seq(self) -> int:
        self._changes.next_seq = self.messages[-1].seq + 2
        return self.messages[-1].seq + 1

    def _add_message(self, message: Message) -> None:
        self.messages.append(message)
        self._changes.add(message)

    def _put_message(self, message: Message) -> None:
        place = next(i for i, known in enumerate(self.messages) if known.id == message.id)
        self.messages[place] = message
        self._changes.put(message)

    def _put_tool_call(self, call: ToolCall) -> None:
        self.calls_without_result[call.call_id] = self.tool_calls[str(call.id)] = call
        self._changes.put(call)

    def _elapsed_ms(self) -> float:
        return (perf_counter() - self._clock) * 1000


def _ignore() -> None:
    """Before anybody waits."""
