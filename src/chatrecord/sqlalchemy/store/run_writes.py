"""What a live run writes: its rows, its journal, its lease, and what its budgets admit."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from functools import cache
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from chatrecord.errors import DatabaseFailed, LeaseLost
from chatrecord.records import ApiRequest, Message, Run, ToolCall, Usage
from chatrecord.spending.budgets import Spending
from chatrecord.spending.days import day_of, start_of
from chatrecord.sqlalchemy.engine.connections import Connections
from chatrecord.sqlalchemy.engine.notifications import can_tell, payload
from chatrecord.sqlalchemy.engine.one_call import NoPlan
from chatrecord.sqlalchemy.generics import Values
from chatrecord.sqlalchemy.sql.tables import MappedTable, kept
from chatrecord.sqlalchemy.sql.together import Step
from chatrecord.store.changes import ACTIVE, BudgetCheck, Changes, Lease, RunRecord
from chatrecord.store.lost_leases import gone, taken_over
from chatrecord.values import Target

from .attachments import Files
from .rows import new_values_of, usage_of, values_of
from .usage_days import are_late, covered, reopen_late, used_by_all

_LEASE = ("owner", "epoch", "lease_until")

_FIXED: dict[type, frozenset[str]] = {
    Run: frozenset((*_LEASE, "id", "chat_id", "parent_run_id", "idempotency_key", "started_at")),
    Message: frozenset(("id", "chat_id", "run_id", "seq", "role", "created_at")),
    ToolCall: frozenset(("id", "chat_id", "run_id", "message_id", "call_id", "name")),
    ApiRequest: frozenset(("id", "chat_id", "run_id", "kind")),
}
"""Columns that never change after the insert (the lease has its own statement). SQLite writes an
index for each column that is set, be it to the same value."""

_WHILE_RUNNING = {
    *("new_active_chat_id", "new_status", "new_error", "new_finished_at", "new_question")
}
"""What a run that goes on has as it had it."""


class RunWrites(Connections):
    """What `chatrecord.store` says of writing."""

    async def write(self, changes: Changes) -> None:
        changes, files = self.attachments.of_changes(changes)
        await self._retried(lambda: self.attachments.put_out(changes.chat_id, files))
        async with self._losses_explained(changes.lease):
            await self._retried(lambda: self._write(changes, files), only_undone=True)

    @asynccontextmanager
    async def _losses_explained(self, lease: Lease | None) -> AsyncIterator[None]:
        """Tell a run that is owned by another process from one whose row cannot be seen."""
        try:
            yield
        except LeaseLost as error:
            if lease is None:
                raise
            try:
                asked = {"run_ids": [lease.run_id], "now": datetime.now(UTC)}
                found = await self._read(self._sql.run_states, **asked)
            except DatabaseFailed:
                raise error from None
            msg = taken_over(lease.run_id) if found else gone(lease.run_id)
            raise LeaseLost(msg) from error

    async def _write(self, changes: Changes, files: Files) -> None:
        lease, steps = changes.lease, list(self._steps(changes))
        guard = None if lease is None else self._guard(lease, changes)
        if guard is not None and not files and _is_simple(changes):
            held = await self._written_at_once([guard, *steps])
            if held is not None:
                return _check_held(lease, is_held=held)

        async def write(connection: AsyncConnection) -> None:
            if guard is not None:
                held = (await connection.execute(guard.statement, guard.rows)).rowcount
                _check_held(lease, is_held=held > 0)
            await reopen_late(self._sql, connection, changes.records)
            await self.attachments.keep(connection, changes.chat_id, files)
            for step in steps:
                await connection.execute(step.statement, step.rows)

        return await self.written_by(write)

    async def _written_at_once(self, steps: Sequence[Step]) -> bool | None:
        """Whether the guard held, where all of it can be sent at once; `None` where it cannot."""
        held, _ = await self.written_together(steps, _nothing)
        if held is not None:
            return bool(held)
        with suppress(NoPlan):
            return await self.written_in_a_batch(steps, _done) is not None
        return None

    def _steps(self, changes: Changes) -> Iterator[Step]:
        """What is written, beside the run that holds the lease."""
        sql = self._sql
        for mapped, records in self._by_table(changes.new.values()):
            yield inserted(mapped, records)
        run_id = changes.lease.run_id if changes.lease is not None else None
        changed = [record for record in changes.changed.values() if record.id != run_id]
        for mapped, records in self._by_table(changed):
            yield _updated(mapped, records)
        if changes.superseded is not None:
            first, below = changes.superseded
            replaced = {"of_chat": changes.chat_id, "first": first, "below": below}
            yield Step(sql.supersede, [replaced])
        if changes.journaled:
            whole = [{"of_message": message_id} for message_id in changes.journaled]
            yield Step(sql.empty_journal, whole)
        if changes.never_sent and sql.request is not None:
            unsent = [{"row_id": request_id} for request_id in changes.never_sent]
            yield Step(sql.request.delete_one, unsent)
        if changes.next_seq is not None:
            numbers = {"row_id": changes.chat_id, "new_next_seq": changes.next_seq}
            yield Step(sql.set_next_seq, [numbers])
        if changes.event is not None and sql.event is not None:
            yield Step(sql.add_event, [values_of(changes.event)], into=sql.event)

    def _guard(self, lease: Lease, changes: Changes | None) -> Step:
        """Locks the run and writes its changes, unless another process owns it."""
        run = changes.changed.get(lease.run_id) if changes is not None else None
        held = _renewal(lease)
        if run is None:
            return Step(self._sql.renew_leases, [held])
        goes_on = isinstance(run, Run) and run.status == "running"
        unchanged = {"row_id", *(_WHILE_RUNNING if goes_on else ())}
        changed = self._sql.run.stored(_changed(run))
        values = {name: value for name, value in changed.items() if name not in unchanged}
        held |= values
        names = _columns(tuple(values))
        if not can_tell(self._engine.dialect):
            return Step(self._sql.renew_leases_with(*names), [held])
        held["notification"] = payload([lease.run_id])
        return Step(self._sql.renew_leases_with_and_tell(*names), [held])

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
        async with self._losses_explained(lease):
            return await self._retried(lambda: self._reserve(request, lease, checks))

    async def _reserve(
        self, request: ApiRequest, lease: Lease | None, checks: Sequence[BudgetCheck]
    ) -> bool:
        requests = kept(self._sql.request, "Requests", "request")
        async with self.transaction() as connection:
            if lease is not None:
                guard = self._guard(lease, None)
                held = (await connection.execute(guard.statement, guard.rows)).rowcount
                _check_held(lease, is_held=held > 0)
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


def _renewal(lease: Lease) -> Values:
    return {
        "run_ids": [lease.run_id],
        "of_owner": lease.owner,
        "of_epoch": lease.epoch,
        "new_lease_until": lease.until,
    }


async def insert_rows(
    connection: AsyncConnection, mapped: MappedTable, records: Sequence[RunRecord]
) -> None:
    """Write new rows of one table."""
    step = inserted(mapped, records)
    await connection.execute(step.statement, step.rows)


def inserted(mapped: MappedTable, records: Sequence[RunRecord]) -> Step:
    """New rows of one table."""
    rows = [mapped.stored(values_of(record)) for record in records]
    return Step(mapped.insert(*rows[0]), rows, into=mapped)


def _updated(mapped: MappedTable, records: Sequence[RunRecord]) -> Step:
    rows = [mapped.stored(_changed(record)) for record in records]
    return Step(mapped.update(*_columns(tuple(rows[0]))), rows)


@cache
def _columns(parameters: tuple[str, ...]) -> tuple[str, ...]:
    """The columns that these change."""
    return tuple(name.removeprefix("new_") for name in parameters if name != "row_id")


def _is_simple(changes: Changes) -> bool:
    """Whether no change is to see another: as one statement, each sees what was there before."""
    is_late = are_late(changes.records)
    return changes.superseded is None and not changes.never_sent and not is_late


async def _nothing(_connection: AsyncConnection, _held: Sequence[Any]) -> None:
    return None


async def _done(_connection: AsyncConnection) -> bool:
    return True


def _check_held(lease: Lease | None, *, is_held: bool) -> None:
    if lease is not None and not is_held:
        msg = f"Run {lease.run_id} was taken over by another process, or its chat was deleted"
        raise LeaseLost(msg)


def _changed(record: RunRecord) -> Values:
    changed = new_values_of(record, but=_FIXED[type(record)])
    if isinstance(record, Run):
        still_active = record.chat_id if record.status in ACTIVE else None
        changed["new_active_chat_id"] = still_active
    return {"row_id": record.id, **changed}
