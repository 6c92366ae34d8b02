"""The port to chats that were deleted and are kept for a time, and to all chats of an owner."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from chatrecord.records import ChatRecord

from .chat_store import Scope


class DeletedChatStore(Protocol):
    """Chats that were deleted and are kept for a time: other roles do not find them.

    Sums of usage count them, and `ChatStore.delete_chat` deletes them for good.
    """

    retention: timedelta | None
    """How long chats are kept after their deletion; `None` if they are deleted at once."""

    async def hide_chat(self, chat_id: UUID, scope: Scope, now: datetime) -> bool:
        """Delete a chat for a time. Returns whether there was one."""

    async def unhide_chat(self, chat_id: UUID, scope: Scope) -> bool:
        """Take that back. Returns whether there was a deleted chat."""

    async def hidden_chats(
        self, scope: Scope, *, before: datetime | None, limit: int
    ) -> list[ChatRecord]:
        """Deleted chats, the first that was deleted first; those deleted before this, if given."""

    async def every_chat(
        self, scope: Scope, *, after: UUID | None, limit: int
    ) -> Sequence[ChatRecord]:
        """Chats within the scope after this one by their ids, deleted ones included."""
