"""Files under another key."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from chatrecord.sqlalchemy.generics import Row
from chatrecord.sqlalchemy.models.encryption import Keys

from .arriving_files import ArrivingAttachments
from .own_attachment_store import key_of


class RotatingAttachments(ArrivingAttachments):
    """The files of chats, whose bytes can be encrypted with a new key."""

    async def page(self, after: UUID, limit: int) -> Sequence[Row]:
        """The next files by their ids, with what their bytes begin with."""
        if self._sql is None:
            return []
        async with self._reading() as connection:
            page = {"after": after, "limit": limit}
            found = await connection.execute(self._sql.heads, page)
            rows: Sequence[Row] = found.mappings().all()
        return rows

    async def reencrypt(self, row: Row, keys: Keys) -> bool:
        """Encrypt a file of a page with the newest key. Returns whether that was necessary."""
        head, key = row["head"], key_of(row["chat_id"], row["hash"])
        if head is not None and keys.has_newest_file(bytes(head)):
            return False
        if head is None:
            outside = {**row, "data": None}
            self._check_store(outside)
            kept = await self._kept(outside)
            if kept is None or keys.has_newest_file(kept):
                return False
            await self._put_sealed(key, self._sealed(self._opened(row, kept)))
            async with self._transaction() as connection:
                is_there = await self._is_there(connection, row["chat_id"])
            if not is_there:  # the chat was deleted meanwhile
                await self.drop([key])
            return is_there
        assert self._table is not None
        async with self._transaction() as connection:
            this = {"row_id": row["id"]}
            kept = (await connection.execute(self._statements.data, this)).scalar()
            if kept is not None:
                data = self._sealed(self._opened(row, bytes(kept)))
                values = {**this, "new_data": data}
                await connection.execute(self._table.update("data"), values)
        return kept is not None
