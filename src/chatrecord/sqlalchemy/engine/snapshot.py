"""A transaction that sees the database as of one moment."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine


@asynccontextmanager
async def snapshot_transaction(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A connection whose reads see one snapshot, without later commits."""
    if engine.dialect.name != "sqlite":
        async with engine.execution_options(isolation_level="REPEATABLE READ").begin() as other:
            yield other
        return
    async with engine.begin() as connection:
        await begin_on_sqlite(connection, "BEGIN")
        yield connection


async def begin_on_sqlite(connection: AsyncConnection, statement: str) -> None:
    """Python's SQLite driver begins a transaction with the first write, unless it gets a BEGIN."""
    raw = await connection.get_raw_connection()
    driver: Any = raw.driver_connection
    if not driver.in_transaction:
        await connection.exec_driver_sql(statement)
