"""What a database tells of its chats to whoever is outside: a run has ended, a chat was deleted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, cast, get_args
from uuid import UUID

from .ids import new_id
from .text.arguments import check_list

EventType = Literal[
    "run.complete",
    "run.failed",
    "run.interrupted",
    "run.stopped",
    "run.repaired",
    "run.parked",
    "budget.warning",
    "chat.deleted",
]

LAST = 2**62
"""The `chat_order` of the last event of a chat."""

EVENT_TYPES: tuple[EventType, ...] = get_args(EventType)
"""All of them."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that has happened, as it was stored in the same transaction.

    `id` is a number that grows from event to event; it is what `after=` takes. `uuid` is unique
    across databases. `data` holds ids and statuses, and no text that a person, a model or a tool
    has written.
    """

    id: int
    type: str
    chat_id: UUID | None
    run_id: UUID | None
    created_at: datetime
    data: Mapping[str, Any]
    uuid: UUID


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event that is to be stored. It gets its number when it is first read.

    `chat_order` is larger than that of the event of the same chat before it.
    """

    type: EventType
    chat_id: UUID | None
    run_id: UUID | None = None
    chat_order: int = 0
    data: Mapping[str, Any] = field(default_factory=dict)
    created_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    id: UUID = field(default_factory=new_id)


def checked_types(types: object) -> tuple[str, ...]:
    """Raise `TypeError` or `ValueError` unless these are types of events. Empty means all."""
    check_list("types", types, "names")
    names = tuple(cast(Sequence[str], types))
    unknown = [name for name in names if name not in EVENT_TYPES]
    if unknown:
        msg = f"There is no event {unknown[0]!r}. There are: {', '.join(EVENT_TYPES)}"
        raise ValueError(msg)
    return names


def checked_after(after: object) -> int:
    """Raise `TypeError` or `ValueError` unless this may be the id of an event, or 0."""
    if not isinstance(after, int) or isinstance(after, bool):
        msg = f"after= takes the id of an event, or 0 for all of them, not {after!r}"
        raise TypeError(msg)
    if not 0 <= after < 1 << 63:
        msg = f"after= takes the id of an event, or 0 for all of them, not {after}"
        raise ValueError(msg)
    return after
