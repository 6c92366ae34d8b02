"""Many chats are deleted at once: counted, confirmed, and told."""

from __future__ import annotations

import asyncio
from argparse import Namespace
from collections.abc import Awaitable, Callable

from chatrecord.errors import ConfigurationError

from .confirmation import can_ask, is_confirmed
from .screen import Screen

COUNTED = 1000
"""The largest number of chats that is counted before the confirmation."""

Counts = Callable[[Namespace], Awaitable[int]]


def delete_many(arguments: Namespace, which: str, *, found: Counts, delete: Counts) -> int:
    """Ask, unless that is answered by --yes; delete, and say how many.

    `which` stands behind the number of chats in the question. `found` counts up to one more than
    `COUNTED`.
    """
    screen = Screen()
    if not arguments.yes:
        if not can_ask():
            msg = "No terminal to confirm the deletion: pass --yes"
            raise ConfigurationError(msg)
        number = asyncio.run(_number(found, arguments))
        if not number or not is_confirmed(f"Delete {_these(number)}{which}?"):
            screen.note("Nothing was deleted")
            return 0
    gone = asyncio.run(_number(delete, arguments))
    screen.note(f"{_chats(gone)} deleted")
    return 0


async def _number(counts: Counts, arguments: Namespace) -> int:
    return await counts(arguments)


def _these(number: int) -> str:
    return f"more than {COUNTED:,} chats" if number > COUNTED else _chats(number)


def _chats(number: int) -> str:
    return "1 chat" if number == 1 else f"{number:,} chats"
