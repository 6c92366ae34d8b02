"""`chatrecord erase --owner ID`: delete everything of one owner for good."""

from __future__ import annotations

from argparse import Namespace

from chatrecord.sqlalchemy.owners import erase_owner

from .database import existing_database, untouched_database
from .mass_deletion import COUNTED, delete_many
from .reference import scope_of


def run(arguments: Namespace) -> int:
    """Ask, unless that is answered by --yes; delete, and say how many."""
    which = f" of {arguments.owner} for good"
    return delete_many(arguments, which, found=_found, delete=_erased)


async def _found(arguments: Namespace) -> int:
    async with untouched_database(arguments.db) as db:
        scope = scope_of(arguments.owner)
        return len(await db.store.every_chat(scope, after=None, limit=COUNTED + 1))


async def _erased(arguments: Namespace) -> int:
    async with existing_database(arguments.db) as db:
        return await erase_owner(db, audit=arguments.audit, **scope_of(arguments.owner))
