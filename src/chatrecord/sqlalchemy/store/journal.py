"""The journal of live answers: what a flush writes, and what is left of messages that are gone."""

from __future__ import annotations

from uuid import UUID

from chatrecord.sqlalchemy.engine.connections import Connections


class StoredJournal(Connections):
    """What `chatrecord.store` says of the journal."""

    async def delete_orphaned_pieces(self) -> int:
        # Found first: to delete what is not referred to, MySQL would lock all that is written.
        orphans = [row["message_id"] for row in await self._read(self._sql.orphaned)]
        for message_id in orphans:
            await self._empty_journal(message_id)
        return len(orphans)

    async def _empty_journal(self, message_id: UUID) -> None:
        of_it = {"of_message": message_id}
        await self._retried(lambda: self._changed(self._sql.empty_journal, of_it))
