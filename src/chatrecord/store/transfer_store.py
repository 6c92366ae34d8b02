"""The port to whole chats, moved out and in."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import Protocol
from uuid import UUID

from chatrecord.attachments.embedded_files import ChatFile
from chatrecord.records import (
    ChatRecord,
)

from .changes import StoredRow
from .chat_store import Scope


class TransferStore(Protocol):
    """Whole chats, moved out and in.

    Each method is its own transaction, unless it says otherwise. A failure raises a
    `ChatRecordError` or the driver's own error, never silently; a database that does not answer
    has failed, too.
    """

    def rows_of_chat(
        self, chat_id: UUID, scope: Scope
    ) -> AsyncGenerator[ChatRecord | StoredRow | ChatFile]:
        """A chat within the scope, and then everything in it, all as of one moment.

        Its runs (but for those that wait for their turn), messages, tool calls, requests, the
        journal, and the files that messages and tool calls refer to, each in order. Nothing where
        there is no such chat; one that was deleted for a time is there. A transaction is open
        until the last of them.
        """

    async def insert_whole_chat(
        self, chat: ChatRecord, rows: Sequence[StoredRow | ChatFile]
    ) -> ChatRecord:
        """Write a chat with all its rows, which are in the order of `rows_of_chat`.

        Messages and tool calls refer to their files, or have them in them. Rows of a kind that is
        not kept here are left out. Raises `ChatExists`.
        """
