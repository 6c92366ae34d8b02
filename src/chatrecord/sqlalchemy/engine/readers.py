"""Readers who hold a connection for as long as they like, such as exports to a slow client."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import QueuePool

from chatrecord.errors import DatabaseFailed

_UNLIMITED = 1_000_000


class ReadersAtTheirPace:
    """Limits the readers at a time: the other connections are for the other tasks."""

    def __init__(self, engine: AsyncEngine, places: int) -> None:
        self.places = places
        self._free = asyncio.Semaphore(places)
        pool = engine.pool
        self._patience = pool.timeout() if isinstance(pool, QueuePool) else None

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """Wait for a place, for as long as the pool lets others wait for a connection."""
        try:
            async with asyncio.timeout(self._patience):
                await self._free.acquire()
        except TimeoutError as error:
            msg = (
                f"{self.places} chats are being exported at once, which is as many as leave room "
                "for others: read those to their end or close them with aclose(), or give the "
                "engine a larger pool_size="
            )
            raise DatabaseFailed(msg, may_pass=True, undone=True) from error
        try:
            yield
        finally:
            self._free.release()


def connections_of(engine: AsyncEngine) -> int:
    """How many of our transactions may be under way, with one connection left for the journal."""
    pool = engine.pool
    if not isinstance(pool, QueuePool) or pool._max_overflow < 0:
        return _UNLIMITED
    return max(1, pool.size() + pool._max_overflow - 1)
