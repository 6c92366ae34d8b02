"""A transaction that may rebuild tables.

SQLite rebuilds a table for most of its changes: the old one is dropped, and its rows would take
those that refer to them along.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine


@asynccontextmanager
async def rebuilding_transaction(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A transaction in which SQLite does not enforce foreign keys."""
    if engine.dialect.name != "sqlite":
        async with engine.begin() as connection:
            yield connection
        return
    async with engine.connect() as connection:
        enforced = (await connection.exec_driver_sql("PRAGMA foreign_keys")).scalar_one()
        await connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
        await connection.rollback()
        try:
            async with connection.begin():
                yield connection
        finally:
            await connection.exec_driver_sql(f"PRAGMA foreign_keys={enforced}")
