"""Word from other processes that a run has news, where the database passes it on: PostgreSQL.

Ids only, and one notification a flush for all runs of a process: a notification makes its commit
wait for every other that carries one.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Collection, Sequence
from contextlib import aclosing
from typing import Any
from uuid import UUID

from sqlalchemy import Dialect
from sqlalchemy.ext.asyncio import AsyncEngine

CHANNEL = "chatrecord"

_MOST = 200
"""Ids in a notice, which holds less than 8,000 bytes. More are not named."""


def can_tell(dialect: Dialect) -> bool:
    """Whether this database passes notices on."""
    return dialect.name == "postgresql"


def payload(run_ids: Sequence[UUID]) -> str:
    """What a notice says."""
    return " ".join(run_id.hex for run_id in run_ids) if len(run_ids) <= _MOST else ""


async def notifications(engine: AsyncEngine) -> AsyncGenerator[Collection[UUID] | None]:
    """The notices as they come, over a connection that the pool does not count."""
    listen = _LISTENERS.get(engine.dialect.driver)
    if listen is None or not can_tell(engine.dialect):
        return
    raw = await engine.raw_connection()
    driver: Any = raw.driver_connection
    raw.detach()
    try:
        async with aclosing(listen(driver)) as notices:
            async for notice in notices:
                yield [UUID(hex=run_id) for run_id in notice.split()] or None
    finally:
        await asyncio.shield(driver.close())


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
