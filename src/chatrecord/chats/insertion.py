"""A new chat is written once, even where the answer to its COMMIT is lost."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol, runtime_checkable

from chatrecord.errors import ChatExists, DatabaseFailed
from chatrecord.records import ChatRecord
from chatrecord.store.chat_store import ChatStore
from chatrecord.store.retries import with_retries
from chatrecord.store.times import DATABASE_TIMEOUT


@runtime_checkable
class InsertsChats(Protocol):
    """A way of an adapter's own into the application's transaction."""

    async def insert_chat(self, chat: ChatRecord) -> ChatRecord:
        """Insert the row, and return what is stored."""


async def inserted(
    store: ChatStore, chat: ChatRecord, insert: Callable[[], Awaitable[ChatRecord]]
) -> ChatRecord:
    """Insert rows under an id that this call has made; no other caller can have it."""
    is_in_doubt = False

    async def once() -> ChatRecord:
        nonlocal is_in_doubt
        try:
            return await insert()
        except (DatabaseFailed, ChatExists) as error:
            lost = isinstance(error, DatabaseFailed) and error.may_pass and not error.undone
            is_in_doubt = is_in_doubt or lost
            found = await store.get_chat(chat.id, {}) if is_in_doubt else None
            if found is None:
                raise
            return found

    return await with_retries(once, DATABASE_TIMEOUT.total_seconds())
