"""`chatrecord erase --owner ID`: delete everything of one owner for good."""

from __future__ import annotations

import asyncio
from argparse import Namespace

from chatrecord.errors import ConfigurationError
from chatrecord.sqlalchemy.owners import erase_owner

from .confirmation import can_ask, is_confirmed
from .database import existing_database, untouched_database
from .reference import scope_of
from .screen import Screen

_COUNTED = 1000
"""The largest number of chats that is counted before the confirmation."""


def run(arguments: Namespace) -> int:
    """Ask, unless that is answered by --yes; delete, and say how many."""
    screen = Screen()
    if not arguments.yes:
        if not can_ask():
            msg = "No terminal to confirm the deletion: pass --yes"
            raise ConfigurationError(msg)
        found = asyncio.run(_found(arguments))
        if not found or not _is_meant(found, arguments.owner):
            screen.note("Nothing was deleted")
            return 0
    gone = asyncio.run(_erased(arguments))
    screen.note(f"{_chats(gone)} deleted")
    return 0


def _is_meant(found: int, owner: str) -> bool:
    these = f"more than {_COUNTED:,} chats" if found > _COUNTED else _chats(found)
    return is_confirmed(f"Delete {these} of {owner} for good?")


async def _found(arguments: Namespace) -> int:
    async with untouched_database(arguments.db) as db:
        scope, most = scope_of(arguments.owner), _COUNTED + 1
        return len(await db.store.every_chat(scope, after=None, limit=most))


async def _erased(arguments: Namespace) -> int:
    async with existing_database(arguments.db) as db:
        return await erase_owner(db, audit=arguments.audit, **scope_of(arguments.owner))


def _chats(number: int) -> str:
    return "1 chat" if number == 1 else f"{number:,} chats"
