"""Hands the events of a database to a receiver: at least once, and those of a chat in their order.

How far it has come is in the database, under a name. Of several relays with one name, one works at
a time; another takes over when that one is gone.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from time import monotonic, time

from chatrecord.errors import DatabaseFailed
from chatrecord.events import Event, checked_types
from chatrecord.ids import new_id
from chatrecord.runs.cancellation import run_to_completion
from chatrecord.runs.event_feed import POLL_SECONDS, EventFeedStore, News, news_of
from chatrecord.runs.process import Backend
from chatrecord.store.event_store import ReaderState

from .deliveries import Deliveries, Delivery
from .endpoint import Answer, Endpoint

log = logging.getLogger("chatrecord")

AT_ONCE = 16
"""Attempts that are made side by side, each for another chat."""

TIMEOUT = 15.0
"""Seconds that an attempt may take."""

GIVE_UP_AFTER = timedelta(days=1)


async def relay(
    db: Backend,
    to: str,
    *,
    secrets: Sequence[str],
    types: Sequence[str] = (),
    name: str | None = None,
    from_now: bool = False,
    once: bool = False,
    give_up_after: timedelta = GIVE_UP_AFTER,
    timeout: float = TIMEOUT,  # noqa: ASYNC109 - that of an attempt
    lease: timedelta | None = None,
) -> None:
    """Send the events of this database to an address, as signed webhooks, until it is cancelled.

        await relay(db, "https://example.com/hooks", secrets=[os.environ["WEBHOOK_SECRET"]])

    `secrets` begin with `whsec_`; each signs every request, so that you can change one. `name` is
    what its progress is stored under; the default comes from the address. A new name begins with
    the oldest event that is kept, or with the next one if `from_now`. With `once` it sends what is
    due, and returns.

    An event is taken with a status of 2xx within `timeout` seconds. Otherwise it is sent again,
    after 1 s, 2 s, 4 s and so on up to an hour; the later events of its chat wait meanwhile. After
    `give_up_after` it is given up, with a warning in the log. `lease` is how long a relay that died
    keeps its name; the default is twice the timeout and 10 s.

    Raises `ConfigurationError` for an address or a secret that cannot work.
    """
    endpoint = Endpoint(to, secrets, timeout)
    length = lease or timedelta(seconds=2 * timeout + 10)
    await Relay(
        db.store,
        endpoint.send,
        name=name or f"webhooks {sha256(to.encode()).hexdigest()[:16]}",
        types=checked_types(types),
        lease=length,
        give_up_after=give_up_after.total_seconds(),
        from_now=from_now,
    ).run(once=once)


class _NotMine(Exception):
    """Another relay has taken over the name."""


@dataclass(slots=True)
class Relay:
    """The work of `relay`."""

    store: EventFeedStore
    send: Callable[[Event], Awaitable[Answer]]
    name: str
    types: tuple[str, ...]
    lease: timedelta
    give_up_after: float
    from_now: bool = False
    _owner: str = field(default_factory=lambda: new_id().hex)
    _position: int = 0
    _waiting: Deliveries = field(default_factory=lambda: Deliveries((), ()))
    _saved: float = 0.0

    async def run(self, *, once: bool = False) -> None:
        """Deliver until cancelled, or what is due."""
        async with news_of(self.store) as news:
            while True:
                try:
                    if await self._claimed():
                        await self._deliver(news, once=once)
                    if once:
                        return
                except _NotMine:
                    log.warning("Another relay has taken over %s", self.name)
                except DatabaseFailed as error:
                    if once or not error.may_pass:
                        raise
                    log.warning("The relay waits for its database: %s", error)
                await asyncio.sleep(min(self.lease.total_seconds() / 3, POLL_SECONDS))

    async def _claimed(self) -> bool:
        """Whether the name is this relay's, with what there is to go on with."""
        now = datetime.now(UTC)
        began = monotonic()
        state = await self.store.claim_reader(
            self.name, owner=self._owner, now=now, until=now + self.lease
        )
        if state is None:
            return False
        self._saved, self._position = began, state.position
        ids = Deliveries.ids_in(state.waiting)
        events = await self.store.events_of_ids(ids) if ids else []
        self._waiting = Deliveries(state.waiting, events)
        if self.from_now and state.position == 0 and not ids:
            self._position = await self.store.number_events()
            await self._save()
        return True

    async def _deliver(self, news: News, *, once: bool) -> None:
        try:
            while True:
                await self._read_on()
                due = self._due()
                if monotonic() - self._saved > self.lease.total_seconds() / 3:
                    await self._save()
                if due:
                    await asyncio.gather(*map(self._attempt, due))
                    await self._save()
                elif once:
                    return
                else:
                    await news(self._pause())
        finally:
            with suppress(DatabaseFailed):
                await run_to_completion(self._release())

    async def _read_on(self) -> None:
        last = await self.store.number_events()
        while self._position < last and (room := self._waiting.room) > 0:
            page = await self.store.read_events(
                self._position, until=last, types=self.types, scope={}, limit=room
            )
            for event in page:
                self._waiting.add(event, time())
            self._position = page[-1].id if len(page) == room else last

    def _due(self) -> list[Delivery]:
        now = time()
        return [each for each in self._waiting.first_of_chats() if each.due <= now][:AT_ONCE]

    def _pause(self) -> float:
        """Seconds until the next attempt is due, or the next look."""
        next_due = min((each.due for each in self._waiting.first_of_chats()), default=None)
        longest = min(POLL_SECONDS, self.lease.total_seconds() / 3)
        return longest if next_due is None else max(0.0, min(longest, next_due - time()))

    async def _attempt(self, delivery: Delivery) -> None:
        answer = await self.send(delivery.event)
        now, event = time(), delivery.event
        if answer.is_taken:
            self._waiting.done(delivery)
            return
        delivery.failed(now, answer.retry_after)
        if now - delivery.since >= self.give_up_after:
            self._waiting.done(delivery)
            log.warning(
                "Event %s (%s of chat %s) was given up after %s attempts: %s",
                *(event.id, event.type, event.chat_id, delivery.attempts, answer),
            )
        elif delivery.attempts == 1:
            log.warning("Event %s (%s) was not taken: %s", event.id, event.type, answer)

    async def _save(self) -> None:
        began = monotonic()
        until = datetime.now(UTC) + self.lease
        if not await self.store.save_reader(self._state, owner=self._owner, until=until):
            raise _NotMine
        self._saved = began

    async def _release(self) -> None:
        """Another relay need not wait until the lease is over."""
        await self.store.save_reader(self._state, owner=self._owner, until=None)

    @property
    def _state(self) -> ReaderState:
        return ReaderState(self.name, self._position, self._waiting.stored)
