"""`chatrecord purge`: delete the chats that were not used for long, or deleted long ago."""

from __future__ import annotations

from argparse import Namespace

from chatrecord.sqlalchemy import purge

from .database import existing_database
from .mass_deletion import COUNTED, delete_many
from .reference import scope_of


def run(arguments: Namespace) -> int:
    """Ask, unless that is answered by --yes; delete, and say how many."""
    since, deleted = arguments.older_than, arguments.deleted_before
    if deleted:
        which = f" for good, deleted before {deleted:%Y-%m-%d %H:%M} UTC"
    else:
        which = f", not used since {since:%Y-%m-%d %H:%M} UTC"
    return delete_many(arguments, which, found=_found, delete=_purged)


async def _found(arguments: Namespace) -> int:
    since, deleted, limit = arguments.older_than, arguments.deleted_before, COUNTED + 1
    scope = scope_of(arguments.user)
    async with existing_database(arguments.db) as db:
        if deleted:
            return len(await db.store.hidden_chats(scope, before=deleted, limit=limit))
        return len(await db.store.idle_chats(since, scope, limit=limit))


async def _purged(arguments: Namespace) -> int:
    async with existing_database(arguments.db) as db:
        return await purge(
            db,
            older_than=arguments.older_than,
            deleted_before=arguments.deleted_before,
            audit=arguments.audit,
            **scope_of(arguments.user),
        )
