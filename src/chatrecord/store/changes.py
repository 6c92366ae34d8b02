"""What a transaction of a run writes, and the right to write it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeAlias
from uuid import UUID

from chatrecord.events import NewEvent
from chatrecord.feedback import Feedback
from chatrecord.records import (
    ApiRequest,
    Json,
    Message,
    Run,
    ToolCall,
)
from chatrecord.spending.budgets import Spending

RunRecord: TypeAlias = Run | Message | ToolCall | ApiRequest
"""Whatever a run writes a row for."""


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """A piece of a message that is still streaming. `seq` orders the pieces of one message."""

    message_id: UUID
    seq: int
    payload: Json

    @property
    def piece(self) -> tuple[str, str]:
        """Its kind, and what was said."""
        assert isinstance(self.payload, dict)
        return str(self.payload["kind"]), str(self.payload.get("text", ""))

    @property
    def size(self) -> int:
        """About how many characters it has."""
        assert isinstance(self.payload, dict)
        return len(self.piece[1]) or len(str(self.payload.get("data", "")))


StoredRow: TypeAlias = RunRecord | Feedback | JournalEntry
"""Whatever a chat consists of, but for its files."""

NO_EXPIRY = datetime(9999, 1, 1, tzinfo=UTC)
"""Until when a parked or queued run is safe from repair."""

ACTIVE = ("running", "parked", "queued")
"""A run that has begun and is one of these holds its chat."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to write to a run: as long as it is still active, and still of this epoch.

    Taking a run over raises its epoch, even in the same process: of two tasks that work on
    one run, the older one can write no more.
    """

    run_id: UUID
    owner: str
    epoch: int
    until: datetime


@dataclass(slots=True)
class Changes:
    """What one transaction of a run writes: new rows, changed rows, and the chat's next number.

    With a `lease`, all of it is refused (`LeaseLost`) once another process owns that lease.
    """

    chat_id: UUID
    lease: Lease | None = None
    new: dict[UUID, RunRecord] = field(default_factory=dict)
    changed: dict[UUID, RunRecord] = field(default_factory=dict)
    journaled: set[UUID] = field(default_factory=set)
    """Messages that are whole now, so that their journal can go."""
    never_sent: set[UUID] = field(default_factory=set)
    """Requests that were opened with their run but refused before they were sent."""
    next_seq: int | None = None
    event: NewEvent | None = None
    """What these changes mean to readers outside."""
    superseded: tuple[int, int] | None = None
    """The numbers from and below which every message is replaced now, and their summaries."""

    @property
    def records(self) -> tuple[RunRecord, ...]:
        """The rows that are written, new or not."""
        return *self.new.values(), *self.changed.values()

    def add(self, record: RunRecord) -> None:
        """A row that does not exist yet."""
        self.new[record.id] = record

    def put(self, record: RunRecord) -> None:
        """A row as it is now, new or not."""
        rows = self.new if record.id in self.new else self.changed
        rows[record.id] = record

    def followed_by(self, later: Changes) -> Changes:
        """These changes, which could not be written, with those made since."""
        self.new.update(later.new)
        for record in later.changed.values():
            self.put(record)
        self.never_sent |= later.never_sent
        self.next_seq = later.next_seq or self.next_seq
        self.event = later.event or self.event
        self.superseded = later.superseded or self.superseded
        return self


@dataclass(frozen=True, slots=True)
class BudgetCheck:
    """A budget check before a request is stored, by the spending of its owner since then.

    `by` is a column of the chat, `"chat_id"`, or `None` for all chats together.
    """

    by: str | None
    since: datetime | None
    allows: Callable[[Spending], bool]
