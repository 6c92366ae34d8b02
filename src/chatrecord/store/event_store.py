"""The port to the events, and to those who read them under a name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from chatrecord.events import Event, NewEvent

from .chat_store import Scope


@dataclass(frozen=True, slots=True)
class ReaderState:
    """How far a named reader has come. `waiting` is what it keeps of events before `position`."""

    name: str
    position: int
    waiting: Any


class EventStore(Protocol):
    """Events: written with what they tell of, numbered when they are first read.

    Transactions do not commit in the order in which they took their numbers, so a row gets the
    number that readers go by only once it is committed. Each method is its own transaction.
    """

    async def number_events(self) -> int:
        """Number the events that have none. Returns the last number that was given."""

    async def read_events(
        self, after: int, *, until: int, types: Sequence[str], scope: Scope, limit: int
    ) -> list[Event]:
        """The events with a number above `after`, up to and with `until`, in their order."""

    async def events_of_ids(self, ids: Sequence[int]) -> list[Event]:
        """Those of these events that are still there."""

    async def add_event(self, event: NewEvent) -> None:
        """Store an event by itself."""

    async def purge_events(self, before: datetime) -> int:
        """Delete the events that are older. Returns how many."""

    async def claim_reader(
        self, name: str, *, owner: str, now: datetime, until: datetime
    ) -> ReaderState | None:
        """Become the reader of this name until then; `None` while another is."""

    async def save_reader(self, state: ReaderState, *, owner: str, until: datetime | None) -> bool:
        """Store how far it has come, and free the name without `until`. Returns if it was his."""
