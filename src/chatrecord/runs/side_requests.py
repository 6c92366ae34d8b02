"""Requests outside the transcript: they have request rows, but no message in the chat."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from time import perf_counter
from typing import Protocol
from uuid import UUID

from chatrecord.errors import ChatRecordError
from chatrecord.hooks.hook import Hook
from chatrecord.hooks.moments import Change, Text
from chatrecord.hooks.side_request_hooks import SideRequestHooks
from chatrecord.ids import new_id
from chatrecord.llm.pieces import Snapshot
from chatrecord.llm.port import LLM, Answer, Failure, SideRequest
from chatrecord.records import ApiRequest, Message, Tokens, Usage
from chatrecord.spending.limits import Limits
from chatrecord.spending.pricing import PriceList
from chatrecord.spending.usage import together, usage_of
from chatrecord.store.changes import Changes
from chatrecord.store.retries import with_retries
from chatrecord.store.spending_store import SpendingStore
from chatrecord.store.times import DATABASE_TIMEOUT
from chatrecord.values import Target

from .budget_reservation import BudgetReservations
from .cancellation import run_to_completion
from .repair import DIED
from .row_changes import answered, closed_request, new_request, status_after
from .stores import LedgerStore

_PATIENCE = DATABASE_TIMEOUT.total_seconds()
LONGEST = timedelta(hours=1)
_REACH = timedelta(days=7)
"""What was begun before that is not looked for: the table of requests may be large."""


class Ledger(Protocol):
    """Where side requests are written down."""

    @property
    def chat_id(self) -> UUID: ...

    @property
    def run_id(self) -> UUID | None: ...

    @property
    def prices(self) -> PriceList: ...

    async def open_side_request(
        self, request: ApiRequest, target: Target, *, estimate: Callable[[], int]
    ) -> None:
        """Store a request that is about to be sent, or raise what forbids it."""

    def note(self, record: ApiRequest) -> None:
        """A request as it is now."""

    async def commit(self) -> None:
        """Store what was noted."""


class SideRequestRecorder:
    """Implements `chatrecord.llm.port.RequestRecorder` for requests that write no message."""

    def __init__(self, ledger: Ledger, kind: str) -> None:
        self._ledger = ledger
        self._kind = kind
        self._request: ApiRequest | None = None
        self._clock = perf_counter()
        self.last: ApiRequest | None = None
        """The last request that has ended."""
        self.answer = _empty_message(ledger.chat_id)
        """The answer so far. It is no row."""

    def ids(self) -> dict[str, UUID]:
        run_id, request = self._ledger.run_id, self._request
        ids = {"chat_id": self._ledger.chat_id}
        ids |= {} if run_id is None else {"run_id": run_id}
        return ids if request is None else {**ids, "request_id": request.id}

    async def open_request(
        self, target: Target, *, estimate: Callable[[], int], continues: bool = False
    ) -> None:
        ledger = self._ledger
        request = new_request(ledger.chat_id, ledger.run_id, None, target, self._kind)
        await ledger.open_side_request(request, target, estimate=estimate)
        self._request, self._clock = request, perf_counter()

    def watch(self, snapshot: Snapshot) -> None:
        assert self._request is not None
        if self._request.streamed:
            self._request = replace(self._request, first_token_ms=self._elapsed_ms())

    def grow(self, characters: int) -> bool:
        return False

    async def wait_for_room(self) -> None:
        """Nothing of it is stored before its end."""

    def close_request(self, answer: Answer | None, failure: Failure | None = None) -> None:
        assert self._request is not None
        status = status_after(failure)
        self.answer = answered(self.answer, answer, status)
        self.last = closed_request(
            self._request, answer, failure, status, self._elapsed_ms(), prices=self._ledger.prices
        )
        self._request = None
        self._ledger.note(self.last)

    def _elapsed_ms(self) -> float:
        return (perf_counter() - self._clock) * 1000


@dataclass(frozen=True, slots=True)
class SideAnswer:
    """The answer to a side request.

    Its text, the request that brought it, and its message, no row.
    """

    text: str
    request: ApiRequest
    answer: Message
    storing: Change | None

    def stored(self, text: str) -> str:
        """The text as it may be stored."""
        return self.storing(Text("assistant", text)) if self.storing else text


async def send_side_request(
    llm: LLM, side_request: SideRequest, ledger: Ledger, hooks: Sequence[Hook]
) -> SideAnswer:
    """Send a request outside the transcript. Raises a `ChatRecordError` if it fails.

    Its requests are noted; the last one is not committed yet.
    """
    recorder = SideRequestRecorder(ledger, side_request.kind)
    own_hooks = SideRequestHooks(hooks, ledger.chat_id, ledger.run_id, recorder)
    text = await llm.side_request(side_request, recorder, own_hooks)
    assert recorder.last is not None
    return SideAnswer(text, recorder.last, recorder.answer, own_hooks.storing)


class ChatLedger:
    """Implements `Ledger` for a chat, independent of its runs."""

    run_id: UUID | None = None

    def __init__(
        self,
        store: LedgerStore,
        chat_id: UUID,
        limits: Limits,
        budgets: BudgetReservations,
    ) -> None:
        self.chat_id = chat_id
        self.prices = budgets.prices
        self._store = store
        self._limits = limits
        self._budgets = budgets
        self._changes = Changes(chat_id)
        self._sent: dict[UUID, ApiRequest] = {}
        self._lock = asyncio.Lock()

    async def open_side_request(
        self, request: ApiRequest, target: Target, *, estimate: Callable[[], int]
    ) -> None:
        await self.commit()
        used = await self._store.usage(self.chat_id) if self._limits.need_chat_usage else Usage()
        so_far = usage_of(self._sent.values())
        self._limits.check_spending(
            target,
            estimate=estimate,
            run=so_far,
            chat=together(used, Usage()),
            prices=self.prices,
        )
        try:
            await self._open(request)
        except BaseException:
            self._changes.never_sent.add(request.id)  # it may be stored all the same
            raise

    async def _open(self, request: ApiRequest) -> None:
        if self._budgets.budgets:
            await self._budgets.reserve(request, lambda: None, self._lock)
        else:
            opening = Changes(self.chat_id)
            opening.add(request)
            await run_to_completion(self._store.write(opening))

    def note(self, record: ApiRequest) -> None:
        self._sent[record.id] = record
        self._changes.put(record)

    async def commit(self) -> None:
        if self._changes.changed or self._changes.never_sent:
            changes, self._changes = self._changes, Changes(self.chat_id)
            # They may be written twice.
            await run_to_completion(with_retries(lambda: self._store.write(changes), _PATIENCE))

    async def close(self) -> None:
        """Store what was noted, as well as that can be done."""
        try:
            await self.commit()
        except (ChatRecordError, asyncio.CancelledError):
            return


async def end_dead_side_requests(store: SpendingStore) -> int:
    """End the side requests of dead processes. Returns how many.

    A process that is alive after this time still writes how its request ended.
    """
    before = datetime.now(UTC) - LONGEST
    return await store.end_side_requests(before - _REACH, before, DIED)


def _empty_message(chat_id: UUID) -> Message:
    return Message(
        id=new_id(),
        chat_id=chat_id,
        run_id=None,
        seq=0,
        role="assistant",
        status="streaming",
        text="",
        reasoning=None,
        content=None,
        format=None,
        model=None,
        provider=None,
        finish_reason=None,
        tokens=Tokens(),
        created_at=datetime.now(UTC),
        finished_at=None,
    )
