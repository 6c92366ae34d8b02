"""Events as they come, for one reader."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from typing import Protocol

from chatrecord.events import Event
from chatrecord.store.chat_store import Scope
from chatrecord.store.event_store import EventStore
from chatrecord.store.journal_store import JournalStore

log = logging.getLogger("chatrecord")

POLL_SECONDS = 1.0
"""Seconds between two looks at whether there are new events."""

NOTIFIED_SECONDS = 0.1
"""The same, where the database says that runs have written something."""

PAGE = 500
"""Events that are read at once."""


class EventFeedStore(EventStore, JournalStore, Protocol):
    """Where events are read, with word of what is new."""


async def events(
    store: EventFeedStore, after: int, types: Sequence[str], scope: Scope, *, follow: bool
) -> AsyncGenerator[Event]:
    """The events after a number, and then those that happen, where it is to `follow`."""
    async with news_of(store) if follow else _nothing() as wait:
        while True:
            last = await store.number_events()
            while after < last:
                page = await store.read_events(
                    after, until=last, types=types, scope=scope, limit=PAGE
                )
                for event in page:
                    yield event
                after = page[-1].id if len(page) == PAGE else last
            if not follow:
                return
            await wait(POLL_SECONDS)


class News:
    """Waits until there may be something new."""

    def __init__(self) -> None:
        self._heard = asyncio.Event()

    def tell(self) -> None:
        """There may be."""
        self._heard.set()

    async def __call__(self, seconds: float) -> None:
        """Wait for so long, or until something is heard."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._heard.wait()
                await asyncio.sleep(NOTIFIED_SECONDS)
        self._heard.clear()


@asynccontextmanager
async def news_of(store: JournalStore) -> AsyncIterator[News]:
    """Listen to the database, where it tells; otherwise it is asked again and again."""
    news = News()
    listening = asyncio.create_task(_listen(store, news), name="chatrecord listener")
    try:
        yield news
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)


async def _listen(store: JournalStore, news: News) -> None:
    try:
        async with aclosing(store.notifications()) as notifications:
            async for _ in notifications:
                news.tell()
    except Exception as error:  # noqa: BLE001 - whatever it is, there are the looks
        log.warning("Listening for notifications failed: %s", type(error).__name__)


@asynccontextmanager
async def _nothing() -> AsyncIterator[News]:
    yield News()
