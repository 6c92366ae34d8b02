"""`chatrecord purge --older-than 90d`: delete the chats that were not used for this long."""

from __future__ import annotations

from argparse import Namespace

from chatrecord.sqlalchemy import purge

from .database import existing_database
from .mass_deletion import COUNTED, delete_many
from .reference import scope_of


def run(arguments: Namespace) -> int:
    """Ask, unless that is answered by --yes; delete, and say how many."""
    which = f", not used since {arguments.older_than:%Y-%m-%d %H:%M} UTC"
    return delete_many(arguments, which, found=_found, delete=_purged)


async def _found(arguments: Namespace) -> int:
    async with existing_database(arguments.db) as db:
        scope = scope_of(arguments.user)
        return len(await db.store.idle_chats(arguments.older_than, scope, limit=COUNTED + 1))


async def _purged(arguments: Namespace) -> int:
    async with existing_database(arguments.db) as db:
        return await purge(
            db,
            older_than=arguments.older_than,
            audit=arguments.audit,
            **scope_of(arguments.user),
        )
