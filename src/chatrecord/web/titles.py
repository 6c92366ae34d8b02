"""The title that a chat gets after its first answer, for the page that shows the answer."""

from __future__ import annotations

import asyncio
from uuid import UUID

from chatrecord.chats.chat import Chat
from chatrecord.runs.process import Backend

from .streams import NewTitle

TITLE_PATIENCE = 3.0
"""Seconds that the end of a stream waits for a title. A page that misses it reads it later."""


def title_to_come(backend: Backend, chat_id: UUID, untitled: Chat | None) -> NewTitle:
    """What waits for the title that this process is generating for the chat, if it is.

    Asked for at the start of a stream: a title may be there before a slow reader is at the end. It
    may even be there now: then `untitled`, the chat that was asked without one, has it.
    """
    generating = backend.runtime.titles.get(chat_id)

    async def new_title() -> str | None:
        if generating is None:
            return None if untitled is None else untitled.title
        await asyncio.wait({generating}, timeout=TITLE_PATIENCE)
        if not generating.done():
            return None
        chat = await backend.store.get_chat(chat_id, {})
        return None if chat is None else chat.title

    return new_title
