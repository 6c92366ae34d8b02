"""Runs: finding, taking over, resuming and stopping them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from chatrecord.errors import DatabaseFailed, NothingToResume
from chatrecord.records import Run, ToolCallStatus
from chatrecord.sqlalchemy.engine.connections import Connections
from chatrecord.sqlalchemy.generics import Values
from chatrecord.sqlalchemy.sql.tables import not_kept
from chatrecord.store.rows import RunState
from chatrecord.store.times import mark_of

from .rows import run_of, run_state_of


class StoredRuns(Connections):
    """What `chatrecord.store` says of runs that have begun."""

    async def active_run(self, chat_id: UUID) -> Run | None:
        rows = await self._read(self._sql.active, chat_id=chat_id)
        return run_of(rows[0]) if rows else None

    async def expired_runs(
        self, now: datetime, *, chats: Sequence[UUID] | None, limit: int
    ) -> list[Run]:
        page = {"now": now, "limit": limit}
        if chats is not None:
            statement = self._sql.expired(of_chats=True)
            rows = await self._read(statement, chat_ids=list(chats), **page)
        else:
            rows = await self._read(self._sql.expired(of_chats=False), **page)
            rows += await self._read(self._sql.expired_queued, **page)
        return [run_of(row) for row in rows]

    async def claim(self, run: Run, *, owner: str, now: datetime, until: datetime) -> Run | None:
        taking = {
            "row_id": run.id,
            "of_epoch": run.epoch,
            "now": now,
            "new_owner": owner,
            "new_lease_until": until,
        }
        claimed = replace(run, owner=owner, epoch=run.epoch + 1, lease_until=until)
        changed = await self._retried(lambda: self._changed(self._sql.claim, taking))
        return claimed if changed or await self._is_held(claimed) else None

    async def _is_held(self, run: Run) -> bool:
        """Whether a run was taken over like this, by a try whose connection was lost over it."""
        found = await self.get_run(run.chat_id, run.id)
        held = (run.owner, run.epoch, mark_of(run.lease_until), "running")
        return found is not None and held == (
            found.owner,
            found.epoch,
            mark_of(found.lease_until),
            found.status,
        )

    async def run_states(self, run_ids: Sequence[UUID]) -> Mapping[UUID, RunState]:
        asked = {"run_ids": list(run_ids), "now": datetime.now(UTC)}
        rows = await self._read(self._sql.run_states, **asked)
        return {row["id"]: run_state_of(row) for row in rows}

    async def get_run(self, chat_id: UUID, run_id: UUID) -> Run | None:
        rows = await self._read(self._sql.get_run, chat_id=chat_id, run_id=run_id)
        return run_of(rows[0]) if rows else None

    async def run_of_key(self, chat_id: UUID, key: str) -> Run | None:
        rows = await self._read(self._sql.run_of_key, chat_id=chat_id, key=key)
        return run_of(rows[0]) if rows else None

    async def reopen(self, run: Run, *, owner: str, until: datetime) -> Run | None:
        taking = {
            "row_id": run.id,
            "of_epoch": run.epoch,
            "of_status": run.status,
            "new_owner": owner,
            "new_lease_until": until,
        }
        reopened = replace(
            run,
            status="running",
            owner=owner,
            epoch=run.epoch + 1,
            lease_until=until,
            error=None,
            finished_at=None,
        )
        try:
            changed = await self._retried(lambda: self._reopen(run, taking))
        except DatabaseFailed as error:
            if isinstance(error.__cause__, IntegrityError):
                return None  # another run of the chat is active by now
            raise
        return reopened if changed or await self._is_held(reopened) else None

    async def _reopen(self, run: Run, taking: Values) -> bool:
        async with self.transaction() as connection:
            if (await connection.execute(self._sql.reopen, taking)).rowcount == 0:
                return False
            if run.status != "parked":  # which has held its chat
                await self._check_is_last(connection, run)
        return True

    async def _check_is_last(self, connection: AsyncConnection, run: Run) -> None:
        """Raise if the chat has newer messages: its next numbers are taken."""
        chat = {"chat_id": run.chat_id}
        last = (await connection.execute(self._sql.last_run_id, chat)).scalar()
        if last != run.id:
            msg = f"Chat {run.chat_id} has newer messages than run {run.id}: nothing to resume"
            raise NothingToResume(msg)

    async def decide(
        self, chat_id: UUID, call_id: str, *, status: ToolCallStatus, error: str | None
    ) -> bool:
        if self._sql.decide is None:
            msg = "Tool calls"
            raise not_kept(msg, "tool_call")
        decision = {
            "of_chat": chat_id,
            "of_call": call_id,
            "new_status": status,
            "new_error": error,
        }
        statement = self._sql.decide
        return await self._retried(lambda: self._changed(statement, decision), only_undone=True) > 0

    async def request_stop(self, run_id: UUID) -> bool:
        asked = {"row_id": run_id}
        return await self._retried(lambda: self._changed(self._sql.request_stop, asked)) > 0
