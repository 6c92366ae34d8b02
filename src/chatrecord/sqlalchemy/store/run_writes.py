"""What a live run writes: its rows, its journal, its lease, and what its budgets admit."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import groupby
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from chatrecord.errors import LeaseLost
from chatrecord.records import ApiRequest, Message, Run, ToolCall, Usage
from chatrecord.spending.budgets import Spending
from chatrecord.spending.days import day_of, start_of
from chatrecord.sqlalchemy.engine.connections import Connections
from chatrecord.sqlalchemy.engine.notifications import can_tell, payload
from chatrecord.sqlalchemy.generics import Values
from chatrecord.sqlalchemy.sql.tables import MappedTable, kept
from chatrecord.store.changes import BudgetCheck, Changes, JournalEntry, Lease, RunRecord
from chatrecord.values import Target

from .attachments import Files
from .rows import usage_of, values_of
from .usage_days import covered, reopen_late, used_by_all

_LARGEST_INSERT = 250_000
"""Characters of a journal that one statement inserts: a tenth of a packet, and ten bytes at most
for each of them, escaped and encrypted."""

_FIXED = {"id", "chat_id", "active_chat_id", "epoch", "owner", "idempotency_key", "lease_until"}
"""Columns of a run's rows that never change after the insert (the lease has its own statement)."""


class RunWrites(Connections):
    """What `chatrecord.store` says of writing."""

    async def write(self, changes: Changes) -> None:
        changes, files = self.attachments.of_changes(changes)
        await self._retried(lambda: self.attachments.put_out(changes.chat_id, files))
        await self._retried(lambda: self._write(changes, files), only_undone=True)

    async def _write(self, changes: Changes, files: Files) -> None:
        async with self.transaction() as connection:
            changed = dict(changes.changed)
            if changes.lease is not None:
                await self._check_lease(
                    connection, changes.lease, changed.pop(changes.lease.run_id, None)
                )
            await reopen_late(self._sql, connection, (*changes.new.values(), *changed.values()))
            await self.attachments.keep(connection, changes.chat_id, files)
            for mapped, records in self._by_table(changes.new.values()):
                await insert_rows(connection, mapped, records)
            for mapped, records in self._by_table(changed.values()):
                await _update(connection, mapped, records)
            if changes.superseded is not None:
                first, below = changes.superseded
                replaced = {"of_chat": changes.chat_id, "first": first, "below": below}
                await connection.execute(self._sql.supersede, replaced)
            await self._clear(connection, changes)
            if changes.next_seq is not None:
                numbers = {"row_id": changes.chat_id, "new_next_seq": changes.next_seq}
                await connection.execute(self._sql.set_next_seq, numbers)

    async def end_side_requests(self, since: datetime, before: datetime, why: str) -> int:
        if self._sql.request is None:
            return 0
        return await self._retried(lambda: self._end_side_requests(since, before, why))

    async def _end_side_requests(self, since: datetime, before: datetime, why: str) -> int:
        async with self.transaction() as connection:
            # A day that is counted has none that is open.
            days = await covered(self._sql, connection, start_of(day_of(since)), before)
            statement = self._sql.end_side_requests(days)
            ended: int = (await connection.execute(statement, {"new_error": why})).rowcount
        return ended

    async def _check_lease(
        self, connection: AsyncConnection, lease: Lease, run: RunRecord | None
    ) -> None:
        """Lock the run, and write its changes, or find that another process owns it."""
        held = _renewal([lease])
        statement = self._sql.renew_leases
        if run is not None:
            values = _changed(run)
            del values["row_id"]
            held |= values
            names = [name.removeprefix("new_") for name in values]
            if can_tell(connection.dialect):
                held["notification"] = payload([lease.run_id])
                statement = self._sql.renew_leases_with_and_tell(*names)
            else:
                statement = self._sql.renew_leases_with(*names)
        if (await connection.execute(statement, held)).rowcount == 0:
            msg = f"Run {lease.run_id} was taken over by another process, or its chat was deleted"
            raise LeaseLost(msg)

    async def _clear(self, connection: AsyncConnection, changes: Changes) -> None:
        if changes.journaled:
            whole = [{"of_message": message_id} for message_id in changes.journaled]
            await connection.execute(self._sql.empty_journal, whole)
        if changes.never_sent and self._sql.request is not None:
            unsent = [{"row_id": request_id} for request_id in changes.never_sent]
            await connection.execute(self._sql.request.delete_one, unsent)

    def _by_table(
        self, records: Iterable[RunRecord]
    ) -> Iterable[tuple[MappedTable, list[RunRecord]]]:
        sql, groups = self._sql, list(records)
        for kind, mapped in (
            (Message, sql.message),
            (ToolCall, sql.tool_call),
            (ApiRequest, sql.request),
            (Run, sql.run),
        ):
            rows = [record for record in groups if isinstance(record, kind)]
            if rows and mapped is not None:
                yield mapped, rows

    async def reserve(
        self, request: ApiRequest, lease: Lease | None, checks: Sequence[BudgetCheck]
    ) -> bool:
        return await self._retried(lambda: self._reserve(request, lease, checks))

    async def _reserve(
        self, request: ApiRequest, lease: Lease | None, checks: Sequence[BudgetCheck]
    ) -> bool:
        requests = kept(self._sql.request, "Requests", "request")
        async with self.transaction() as connection:
            if lease is not None:
                await self._check_lease(connection, lease, None)
            for claim in checks:
                if not claim.allows(await self._spending(connection, request, claim)):
                    return False
            await reopen_late(self._sql, connection, [request])
            # By an earlier try, whose connection was lost over its commit, it may be there already.
            await connection.execute(requests.delete_one, {"row_id": request.id})
            await insert_rows(connection, requests, [request])
        return True

    async def _spending(
        self, connection: AsyncConnection, request: ApiRequest, claim: BudgetCheck
    ) -> Spending:
        """The spending of this owner. Other readers of it wait for the end of this."""
        sql, whose = self._sql, None
        if claim.by is not None:
            owner = sql.owner(claim.by), {"chat_id": request.chat_id}
            whose = (await connection.execute(*owner)).scalar_one()
        await connection.execute(sql.lock_owner(claim.by, whose))
        # In this order: what ends in between is counted twice then, and never missed.
        others = {"now": datetime.now(UTC), "but_of_run": request.run_id or request.id}
        under_way = (await connection.execute(sql.under_way(claim.by, whose), others)).all()
        return Spending(
            whose,
            await self._used(connection, claim, whose),
            [Target(model, provider, streamed=True) for model, provider in under_way],
        )

    async def _used(self, connection: AsyncConnection, claim: BudgetCheck, whose: object) -> Usage:
        if claim.by is None:
            return await used_by_all(self._sql, connection, claim.since)
        used = await connection.execute(self._sql.spent(claim.by, whose, claim.since))
        return usage_of(used.mappings().one())

    async def flush(
        self,
        news: Mapping[Lease, Sequence[JournalEntry]],
        *,
        renew: Collection[UUID] | None = None,
    ) -> Mapping[UUID, bool]:
        kept: dict[UUID, bool] = {}
        # It waits for no slot: the leases of the waiting transactions depend on it.
        async with self.urgent_transaction() as connection:
            for leases in _alike(news, renew):
                changed = [lease.run_id for lease in leases if news[lease]]
                is_due = renew is None or leases[0].run_id in renew
                checked = self._renewed if is_due else self._held
                kept |= await checked(connection, _renewal(leases), changed)
            of_kept = (entry for lease in news if lease.run_id in kept for entry in news[lease])
            for entries in _portions(of_kept):
                await connection.execute(self._sql.append_journal, entries)
        return kept

    async def _renewed(
        self, connection: AsyncConnection, renewal: Values, changed: Sequence[UUID]
    ) -> dict[UUID, bool]:
        if changed and can_tell(connection.dialect):
            renewal["notification"] = payload(changed)
            found = await connection.execute(self._sql.renew_read_and_tell_leases, renewal)
        elif connection.dialect.update_returning:
            found = await connection.execute(self._sql.renew_and_read_leases, renewal)
        else:
            await connection.execute(self._sql.renew_leases, renewal)
            del renewal["new_lease_until"]
            found = await connection.execute(self._sql.read_leases, renewal)
        return {row[0]: bool(row[1]) for row in found.all()}

    async def _held(
        self, connection: AsyncConnection, renewal: Values, changed: Sequence[UUID]
    ) -> dict[UUID, bool]:
        """Check leases that last for a while; those of runs with news are locked."""
        held = {name: value for name, value in renewal.items() if name != "new_lease_until"}
        statement = self._sql.read_leases
        if changed and can_tell(connection.dialect):
            held["notification"] = payload(changed)
            statement = self._sql.hold_and_tell_leases
        elif changed:
            statement = self._sql.hold_leases
            if connection.dialect.name == "sqlite":
                await connection.execute(self._sql.lock_file)
        found = await connection.execute(statement, held)
        return {row[0]: bool(row[1]) for row in found.all()}


def _alike(leases: Iterable[Lease], renew: Collection[UUID] | None) -> Iterator[list[Lease]]:
    """The leases that one statement can renew: mostly all, because few runs are resumed."""

    def kind(lease: Lease) -> tuple[bool, str, int, datetime]:
        is_due = renew is None or lease.run_id in renew
        return is_due, lease.owner, lease.epoch, lease.until

    for _, alike in groupby(sorted(leases, key=kind), kind):
        yield sorted(alike, key=lambda lease: lease.run_id)  # all lock in the same order


def _renewal(leases: Sequence[Lease]) -> Values:
    """The parameters that renew leases of one owner, epoch and end."""
    return {
        "run_ids": [lease.run_id for lease in leases],
        "of_owner": leases[0].owner,
        "of_epoch": leases[0].epoch,
        "new_lease_until": leases[0].until,
    }


async def insert_rows(
    connection: AsyncConnection, mapped: MappedTable, records: Sequence[RunRecord]
) -> None:
    """Write new rows of one table."""
    rows = [mapped.stored(values_of(record)) for record in records]
    await connection.execute(mapped.insert(*rows[0]), rows)


async def _update(
    connection: AsyncConnection, mapped: MappedTable, records: Sequence[RunRecord]
) -> None:
    rows = [mapped.stored(_changed(record)) for record in records]
    names = [name.removeprefix("new_") for name in rows[0] if name != "row_id"]
    await connection.execute(mapped.update(*names), rows)


def _portions(entries: Iterable[JournalEntry]) -> Iterator[list[Values]]:
    """The rows of these entries, as many at a time as any server takes in one packet."""
    portion, size = list[Values](), 0
    for entry in entries:
        said = entry.size
        if portion and size + said > _LARGEST_INSERT:
            yield portion
            portion, size = [], 0
        portion.append(values_of(entry))
        size += said
    if portion:
        yield portion


def _changed(record: RunRecord) -> Values:
    values = values_of(record)
    changed = {f"new_{name}": value for name, value in values.items() if name not in _FIXED}
    if isinstance(record, Run):
        still_active = record.chat_id if record.status in ("running", "parked") else None
        changed["new_active_chat_id"] = still_active
    return {"row_id": record.id, **changed}
