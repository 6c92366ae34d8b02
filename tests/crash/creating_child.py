"""One of several processes that start at once on an empty database."""

from __future__ import annotations

import asyncio
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier

import own_tables

from chatrecord.sqlalchemy import Database


def run(url: str, barrier: Barrier, told: Connection) -> None:
    """Create both kinds of tables together with the others, and tell what came of it."""
    asyncio.run(_create(url, barrier, told))


async def _create(url: str, barrier: Barrier, told: Connection) -> None:
    async with Database(url) as ready_made, Database(url, models=own_tables.Base) as own:
        for db in (ready_made, own):
            await asyncio.to_thread(barrier.wait, 60)
            try:
                await db.create_tables()
            except Exception as error:  # noqa: BLE001 - whatever it is, the test shows it
                told.send(f"{type(error).__name__}: {error}")
            else:
                told.send("created")
