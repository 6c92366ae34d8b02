"""A process that is going to be killed: it exports everything of an owner, and erases it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from chatrecord.sqlalchemy import Database, erase_owner, export_owner


def run(url: str, folder: str, user: str, *, ready: Callable[[], None]) -> None:
    """The child's whole life."""
    asyncio.run(_run(url, folder, user, ready=ready))


async def _run(url: str, folder: str, user: str, *, ready: Callable[[], None]) -> None:
    db = Database(url)
    ready()
    await export_owner(db, folder, user_id=user)
    await erase_owner(db, user_id=user)
