"""What the chats of one process share."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from datetime import timedelta
from typing import Protocol
from uuid import UUID
from weakref import WeakValueDictionary

from chatrecord.spending.pricing import LIST_PRICES, PriceList
from chatrecord.store.store import Store
from chatrecord.store.times import DATABASE_TIMEOUT
from chatrecord.text.typed_metadata import UNTYPED_METADATA, MetadataType

from .cancellation import cancelled
from .follower import Follower
from .journal import Journal
from .partition import UNPARTITIONED, Partitioning
from .stores import FollowerStore
from .worker_deaths import MAX_WORKER_DEATHS


class ProcessRuntime:
    """The writer, the reader and the queues of all chats of a process on one database."""

    def __init__(
        self,
        store: FollowerStore,
        lease: timedelta,
        patience: timedelta = DATABASE_TIMEOUT,
        prices: PriceList = LIST_PRICES,
        metadata_type: MetadataType = UNTYPED_METADATA,
        *,
        max_worker_deaths: int = MAX_WORKER_DEATHS,
        partitioning: Partitioning = UNPARTITIONED,
    ) -> None:
        self.max_worker_deaths = max_worker_deaths
        self.prices = prices
        self.partitioning = partitioning
        self.metadata_type = metadata_type
        self.journal = Journal(store, lease, patience)
        self.follower = Follower(store, patience)
        self.titles: dict[UUID, asyncio.Task[None]] = {}
        """The titles that are being generated, by chat."""
        self._following: set[asyncio.Task[None]] = set()
        self._queues: WeakValueDictionary[UUID, asyncio.Lock] = WeakValueDictionary()

    def queue(self, chat_id: UUID) -> asyncio.Lock:
        """Entered one after the other, in the order of arrival."""
        queue = self._queues.get(chat_id)
        if queue is None:
            queue = self._queues[chat_id] = asyncio.Lock()
        return queue

    def generate_title(self, chat_id: UUID, work: Coroutine[None, None, None]) -> None:
        """Do this in the background, until it is done or the database is closed."""
        task = asyncio.create_task(work, name="chatrecord run's follow-up")
        self._following.add(task)
        task.add_done_callback(self._following.discard)
        self.titles[chat_id] = task
        task.add_done_callback(lambda done: self._forget_title(chat_id, done))

    def _forget_title(self, chat_id: UUID, done: asyncio.Task[None]) -> None:
        if self.titles.get(chat_id) is done:
            del self.titles[chat_id]

    async def close(self) -> None:
        """Stop the runs of this process, and read no others."""
        await cancelled(self._following)
        await self.journal.close()
        await self.follower.close()


class Backend(Protocol):
    """Where chats live: a store, and what the chats of this process share."""

    @property
    def store(self) -> Store: ...

    @property
    def runtime(self) -> ProcessRuntime: ...
