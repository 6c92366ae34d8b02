"""The journal of live answers: what a flush writes, and what is left of messages that are gone."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from chatrecord.sqlalchemy.engine.connections import Connections
from chatrecord.sqlalchemy.engine.notifications import can_tell, payload
from chatrecord.store.changes import JournalEntry, Lease

from .flushes import Flush, flushes, padded
from .rows import values_of


class StoredJournal(Connections):
    """What `chatrecord.store` says of the journal."""

    async def flush(
        self,
        news: Mapping[Lease, Sequence[JournalEntry]],
        *,
        renew: Collection[UUID] | None = None,
    ) -> Mapping[UUID, bool]:
        portions = list(flushes(news, renew))

        async def write(connection: AsyncConnection) -> dict[UUID, bool]:
            kept: dict[UUID, bool] = {}
            for flush in portions:
                kept |= await self._flush_on(connection, flush)
            return kept

        # It waits for no slot: the leases of the waiting transactions depend on it.
        is_one_statement = len(portions) == 1 and self._sql.is_flushed_at_once
        writes = any(flush.due or flush.pieces for flush in portions)
        return await self.urgently_written_by(
            write, is_one_statement=is_one_statement, writes=writes
        )

    async def _flush_on(self, connection: AsyncConnection, flush: Flush) -> dict[UUID, bool]:
        if connection.dialect.name == "postgresql" and self._sql.is_flushed_at_once:
            return await self._at_once(connection, flush)
        return await self._by_steps(connection, flush)

    async def _at_once(self, connection: AsyncConnection, flush: Flush) -> dict[UUID, bool]:
        """One statement for all."""
        parameters = flush.arrays
        told = flush.told if can_tell(connection.dialect) else []
        if told:
            parameters["notification"] = payload(told)
        statement = self._sql.flush(tells=bool(told))
        self._plans.made(statement, parameters)  # also at its first execution: it is kept
        found = await connection.execute(statement, parameters)
        return {row[0]: bool(row[1]) for row in found.all()}

    async def _by_steps(self, connection: AsyncConnection, flush: Flush) -> dict[UUID, bool]:
        kept: dict[UUID, bool] = {}
        for leases in flush.by_epoch():
            kept |= await self._checked(connection, leases)
        rows = [values_of(entry) for run_id, entry in flush.pieces if run_id in kept]
        if rows:
            await connection.execute(self._sql.append_journal, rows)
        return kept

    async def _checked(self, connection: AsyncConnection, leases: Flush) -> dict[UUID, bool]:
        """Renew leases, and check the others; those of runs with news are locked."""
        everyone = (*leases.due, *leases.held, *leases.seen)
        owned = {"of_owner": leases.owner, "of_epoch": everyone[0].epoch}
        if leases.due:
            due = padded(lease.run_id for lease in leases.due)
            renewal = {"run_ids": due, "new_lease_until": leases.until}
            await connection.execute(self._sql.renew_leases, owned | renewal)
        elif leases.held and connection.dialect.name == "sqlite":
            await connection.execute(self._sql.lock_file)
        checked = {**owned, "run_ids": padded(lease.run_id for lease in everyone)}
        statement = self._sql.hold_leases if leases.held else self._sql.read_leases
        found = await connection.execute(statement, checked)
        return {row[0]: bool(row[1]) for row in found.all()}

    async def delete_orphaned_pieces(self) -> int:
        # Found first: to delete what is not referred to, MySQL would lock all that is written.
        orphans = [row["message_id"] for row in await self._read(self._sql.orphaned)]
        for message_id in orphans:
            await self._empty_journal(message_id)
        return len(orphans)

    async def _empty_journal(self, message_id: UUID) -> None:
        of_it = {"of_message": message_id}
        await self._retried(lambda: self._changed(self._sql.empty_journal, of_it))
