"""Listening for notices of other processes: over a connection of its own, and past a pooler."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Collection
from contextlib import aclosing
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import URL
from sqlalchemy.ext.asyncio import AsyncEngine

from chatrecord.errors import ConfigurationError

from .creation import engine_of
from .notifications import CHANNEL, can_tell
from .poolers import Pooling


class Listening:
    """Where notices are listened for: by the engine itself, or by a URL that avoids its pooler."""

    def __init__(
        self, engine: AsyncEngine, pooling: Pooling | None = None, url: str | URL | None = None
    ) -> None:
        self._engine = engine if url is None else _directly(engine, url)
        self._pooling = pooling if url is None else None

    async def notices(self) -> AsyncGenerator[Collection[UUID] | None]:
        """The notices as they come, over a connection that the pool does not count.

        Through a pooler that gives each transaction another connection there are none.
        """
        listen = _LISTENERS.get(self._engine.dialect.driver)
        if listen is None or not can_tell(self._engine.dialect) or self._hears_nothing:
            return
        raw = await self._engine.raw_connection()
        driver: Any = raw.driver_connection
        raw.detach()
        try:
            if self._hears_nothing:  # as this connection has told
                return
            async with aclosing(listen(driver)) as notices:
                async for notice in notices:
                    yield [UUID(hex=run_id) for run_id in notice.split()] or None
        finally:
            await asyncio.shield(driver.close())

    @property
    def _hears_nothing(self) -> bool:
        return self._pooling is not None and self._pooling.is_by_transaction


def _directly(engine: AsyncEngine, url: str | URL) -> AsyncEngine:
    made = engine_of(url, timedelta(0))
    if not can_tell(engine.dialect) or made.dialect.driver not in _LISTENERS:
        msg = "listen_url= is a URL of PostgreSQL, for a Database on PostgreSQL"
        raise ConfigurationError(msg)
    return made


async def _listen_asyncpg(driver: Any) -> AsyncGenerator[str]:
    notices: asyncio.Queue[str | None] = asyncio.Queue()
    driver.add_termination_listener(lambda _connection: notices.put_nowait(None))
    await driver.add_listener(CHANNEL, lambda *notification: notices.put_nowait(notification[-1]))
    while (notice := await notices.get()) is not None:
        yield notice


async def _listen_psycopg(driver: Any) -> AsyncGenerator[str]:
    await driver.set_autocommit(True)
    await driver.execute(f"LISTEN {CHANNEL}")
    async for notice in driver.notifies():
        yield notice.payload


_LISTENERS = {"asyncpg": _listen_asyncpg, "psycopg": _listen_psycopg}
