"""Chats that were deleted and are kept for a time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from chatrecord.errors import ConfigurationError
from chatrecord.records import ChatRecord
from chatrecord.sqlalchemy.engine.connections import Connections
from chatrecord.store.chat_store import Scope

from .rows import chat_of


class StoredDeletedChats(Connections):
    """What `chatrecord.store` says of deleted chats."""

    retention: timedelta | None = None

    async def hide_chat(self, chat_id: UUID, scope: Scope, now: datetime) -> bool:
        self._check_hidden()
        return await self._moved(chat_id, scope, deleted_at=now)

    async def unhide_chat(self, chat_id: UUID, scope: Scope) -> bool:
        self._check_hidden()
        return await self._moved(chat_id, scope, deleted_at=None)

    async def _moved(self, chat_id: UUID, scope: Scope, *, deleted_at: datetime | None) -> bool:
        """One whose COMMIT was not answered is where it was to be."""
        statement = self._sql.move_chat(scope, hide=deleted_at is not None)
        values = {"row_id": chat_id, "new_deleted_at": deleted_at}
        there = self._sql.get_chat(scope, hidden=deleted_at is not None)

        async def move() -> bool:
            if await self._changed(statement, values):
                return True
            return bool(tried) and bool(await self._rows(there, {"chat_id": chat_id}))

        tried: list[bool] = []

        async def once() -> bool:
            try:
                return await move()
            finally:
                tried.append(True)

        return await self._retried(once)

    async def hidden_chats(
        self, scope: Scope, *, before: datetime | None, limit: int
    ) -> list[ChatRecord]:
        if "deleted_at" not in self._sql.chat.columns:
            return []
        statement = self._sql.hidden_chats(scope, before=before is not None)
        when = {} if before is None else {"before": before}
        return [chat_of(row) for row in await self._read(statement, limit=limit, **when)]

    async def every_chat(
        self, scope: Scope, *, after: UUID | None, limit: int
    ) -> Sequence[ChatRecord]:
        statement = self._sql.every_chat(scope, after=after is not None)
        key = {} if after is None else {"after": after}
        return [chat_of(row) for row in await self._read(statement, limit=limit, **key)]

    def _check_hidden(self) -> None:
        if "deleted_at" not in self._sql.chat.columns:
            msg = (
                f"{self._sql.chat.table.name} has no column deleted_at, so that chats cannot be "
                "kept after their deletion: add it, or pass soft=False"
            )
            raise ConfigurationError(msg)
