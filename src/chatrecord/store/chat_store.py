"""The port to chats and their lists."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Literal, Protocol, TypeAlias
from uuid import UUID

from chatrecord.records import (
    ChatRecord,
    Message,
)

Scope: TypeAlias = Mapping[str, object]
"""Columns of the chat and the values they must have, such as `{"user_id": "u1"}`."""

Audit = Literal["delete", "keep", "anonymise"]
"""What becomes of a chat's requests when it is deleted.

They are deleted with it; or kept, without their chat; or kept without anything that could lead to
the chat or a person: their run, their message, their error's text and the provider's id.
"""


class ChatStore(Protocol):
    """Chats and their lists.

    Each method is its own transaction, unless it says otherwise. A failure raises a
    `ChatRecordError` or the driver's own error, never silently; a database that does not answer
    has failed, too.
    """

    async def insert_chat(
        self, chat: ChatRecord, *, connection: object | None = None
    ) -> ChatRecord:
        """Write a new chat, on `connection` (and in its transaction) where one is given.

        Returns it as it was stored, with the defaults of columns that were left out.
        """

    async def get_chat(self, chat_id: UUID, scope: Scope) -> ChatRecord | None:
        """The chat of this id within the scope."""

    async def list_chats(
        self,
        *,
        limit: int,
        before: tuple[datetime, UUID] | None,
        scope: Scope,
        search: str | None = None,
    ) -> list[ChatRecord]:
        """Chats within the scope, newest activity first, after the key `before`.

        With `search`, those whose title contains every word of it, in any order, in capitals or
        not.
        """

    async def update_chat(
        self,
        chat_id: UUID,
        changes: Mapping[str, object],
        scope: Scope,
        *,
        only_untitled: bool = False,
    ) -> ChatRecord | None:
        """Write these fields and columns of a chat, in one transaction. The order of chats stays.

        Returns the chat as it was stored; `None` if it is not there or not within the scope, or if
        it has a title and `only_untitled` was asked for.
        """

    async def rewrite_chat(
        self,
        chat: ChatRecord,
        messages: Sequence[Message],
        still: Callable[[ChatRecord], bool],
    ) -> bool:
        """Write a chat's metadata and these new messages, whether that was done.

        Only if the chat, as it is stored, is `still` right. The messages get its next numbers.
        """

    async def delete_chat(self, chat_id: UUID, scope: Scope, audit: Audit = "delete") -> bool:
        """Delete a chat and its rows. Returns whether there was one. See `Audit`."""

    async def idle_chats(self, before: datetime, scope: Scope, *, limit: int) -> list[UUID]:
        """Chats within the scope without an active run, last used before this, oldest first."""

    async def erase_idle_chats(
        self, chat_ids: Sequence[UUID], before: datetime, audit: Audit
    ) -> int:
        """Delete those of these chats that are still idle. Returns how many."""

    def chat_columns(self) -> Sequence[str]:
        """The names of the chat columns that are not the library's."""

    def check_column(self, name: str, value: object) -> None:
        """Raise `TypeError` or `ValueError` for a value that this column of a chat cannot take.

        One of another type is none: databases would take `0` for `"Bob"`, or `"7abc"` for `7`.
        Raises `TypeError` for a column that there is not.
        """
