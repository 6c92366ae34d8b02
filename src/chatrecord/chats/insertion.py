"""A new chat is written once, even where the answer to its COMMIT is lost."""

from __future__ import annotations

from collections.abc import Awaitable

from chatrecord.errors import DatabaseFailed
from chatrecord.records import ChatRecord
from chatrecord.store.store import Store


async def inserted(store: Store, chat: ChatRecord, insertion: Awaitable[ChatRecord]) -> ChatRecord:
    """What was inserted under an id that this very call has made: nobody else can have it."""
    try:
        return await insertion
    except DatabaseFailed as error:
        if error.undone or not error.may_pass:
            raise
        found = await store.get_chat(chat.id, {})
        if found is None:
            raise
        return found
