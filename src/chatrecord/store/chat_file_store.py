"""The port to the files of a chat's messages and tool calls."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from chatrecord.attachments.attachment import Attachment
from chatrecord.records import (
    Message,
)


class ChatFileStore(Protocol):
    """The files of a chat's messages and tool calls.

    Each method is its own transaction, unless it says otherwise. A failure raises a
    `ChatRecordError` or the driver's own error, never silently; a database that does not answer
    has failed, too.
    """

    async def with_files(self, messages: Sequence[Message]) -> list[Message]:
        """These messages of one chat with their files in them, instead of references to those.

        One query for all. Messages come from here with references, and go back so or as they were
        made: with the files in them, which are taken out then.
        """

    async def attachment(self, chat_id: UUID, file_hash: str) -> Attachment | None:
        """The file of this hash in the chat; without a name where it never had one."""
