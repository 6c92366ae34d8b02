"""Chats found by their titles, also where the database cannot read them."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from chatrecord.records import ChatRecord

Key: TypeAlias = tuple[datetime, UUID] | None
"""Where a page of chats begins: after the last activity and the id of this one."""

BATCH = 500
"""Chats whose titles are read in one go, where they are encrypted."""


async def found_by_reading(
    page: Callable[[int, Key], Awaitable[list[ChatRecord]]],
    patterns: Sequence[str],
    limit: int,
    after: Key,
) -> list[ChatRecord]:
    """So many chats whose title fits every pattern, from pages read one after the other."""
    found: list[ChatRecord] = []
    while len(found) < limit:
        chats = await page(BATCH, after)
        found += titled(chats, patterns)
        if len(chats) < BATCH:
            break
        after = (chats[-1].updated_at, chats[-1].id)
    return found[:limit]


def titled(chats: Sequence[ChatRecord], patterns: Sequence[str]) -> list[ChatRecord]:
    """Those of these chats whose title fits every pattern."""
    words = [re.compile(pattern) for pattern in patterns]
    return [chat for chat in chats if _fits(chat.title, words)]


def _fits(title: str | None, words: Sequence[re.Pattern[str]]) -> bool:
    return title is not None and all(word.search(title) for word in words)
