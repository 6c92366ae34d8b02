"""What is still to be delivered: each chat's events in their order, however often one fails."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from chatrecord.events import Event

MOST_WAITING = 200
"""Events that may wait for another attempt. Until one of them goes, no others are read."""

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 3600.0
"""Seconds between two attempts. Each pause is twice as long as the one before."""


@dataclass(slots=True)
class Delivery:
    """An event that the receiver has not taken yet. Times are seconds since 1970."""

    event: Event
    since: float
    """When it was read here."""
    due: float
    attempts: int = 0

    @property
    def stored(self) -> list[float]:
        """What another relay goes on with."""
        return [self.event.id, self.since, self.due, self.attempts]

    def failed(self, now: float, at_least: float | None) -> None:
        """Try again later, and not before the receiver wants it."""
        pause = min(FIRST_PAUSE * 2 ** min(self.attempts, 20), LONGEST_PAUSE)
        pause *= random.uniform(0.75, 1)  # noqa: S311 - jitter, not a secret
        self.attempts += 1
        self.due = now + max(pause, min(at_least or 0, LONGEST_PAUSE))


class Deliveries:
    """The events that are still to be delivered, in the order of their ids."""

    def __init__(self, stored: Any, events: Sequence[Event]) -> None:
        """What is `stored` of those that were read before, as far as the events are still there."""
        known = {event.id: event for event in events}
        self._waiting = {
            int(number): Delivery(known[int(number)], since, due, int(attempts))
            for number, since, due, attempts in stored or ()
            if int(number) in known
        }

    @staticmethod
    def ids_in(stored: Any) -> list[int]:
        """The events that are stored as waiting."""
        return [int(number) for number, *_ in stored or ()]

    @property
    def stored(self) -> list[list[float]]:
        """All of them, as they are stored."""
        return [delivery.stored for delivery in self._waiting.values()]

    @property
    def room(self) -> int:
        """How many more may be read."""
        return MOST_WAITING - len(self._waiting)

    def add(self, event: Event, now: float) -> None:
        """An event that was just read."""
        self._waiting[event.id] = Delivery(event, since=now, due=now)

    def done(self, delivery: Delivery) -> None:
        """It was taken, or given up."""
        self._waiting.pop(delivery.event.id, None)

    def first_of_chats(self) -> Iterator[Delivery]:
        """The next event of each chat: those behind it wait."""
        seen: set[UUID | None] = set()
        for delivery in self._waiting.values():
            if delivery.event.chat_id not in seen:
                seen.add(delivery.event.chat_id)
                yield delivery
