"""The title that a chat gets after its first answer, for the page that shows the answer."""

from __future__ import annotations

import asyncio
from uuid import UUID

from chatrecord.runs.process import Backend

TITLE_PATIENCE = 3.0
"""Seconds that the end of a stream waits for a title. A page that misses it reads it later."""


async def new_title(backend: Backend, chat_id: UUID) -> str | None:
    """The title that this process is generating for the chat; `None` if there is none in time."""
    generating = backend.runtime.titles.get(chat_id)
    if generating is None:
        return None
    await asyncio.wait({generating}, timeout=TITLE_PATIENCE)
    if not generating.done():
        return None
    chat = await backend.store.get_chat(chat_id, {})
    return None if chat is None else chat.title
