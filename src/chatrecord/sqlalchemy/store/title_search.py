"""Chats found by their titles, also where the database cannot read them."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from chatrecord.records import ChatRecord

Key: TypeAlias = tuple[datetime, UUID] | None
"""Where a page of chats begins: after the last activity and the id of this one."""

BATCH = 500
"""Chats whose titles are read in one go, where they are encrypted."""


async def found_by_reading(
    page: Callable[[int, Key], Awaitable[list[ChatRecord]]], pattern: str, limit: int, after: Key
) -> list[ChatRecord]:
    """So many chats whose title fits, from pages that are read one after the other."""
    found: list[ChatRecord] = []
    fits = re.compile(pattern)
    while len(found) < limit:
        chats = await page(BATCH, after)
        found += [chat for chat in chats if chat.title is not None and fits.search(chat.title)]
        if len(chats) < BATCH:
            break
        after = (chats[-1].updated_at, chats[-1].id)
    return found[:limit]
