"""The queue of a chat: runs that wait in a process, and runs that wait for a worker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from chatrecord.errors import (
    ChatNotFound,
    ConfigurationError,
    DatabaseFailed,
    SentBefore,
)
from chatrecord.ids import new_id
from chatrecord.records import Message, Run, RunStatus
from chatrecord.runs.repair import DIED_WAITING
from chatrecord.sqlalchemy.generics import Values
from chatrecord.store.chat_store import Scope
from chatrecord.store.queued_question import queued_question

from .attachments import Files
from .chats import connection_of
from .conflicts import Conflicts
from .rows import run_of, values_of


class StoredQueue(Conflicts):
    """What `chatrecord.store` says of the queue."""

    async def submit_run(
        self, run: Run, prompt: Message | None, *, connection: object | None = None
    ) -> UUID:
        self._check_kept()
        run, files = self._asking(run, prompt)
        if connection is not None:
            async with self.schema_explained():
                return await self._submit_run(await connection_of(connection), run, files, [])
        await self.attachments.put_out(run.chat_id, files)
        tried: list[UUID] = []

        async def submit() -> UUID:
            async with self.transaction() as on:
                for run_id in tried:  # whose connection was lost over its commit
                    if (await on.execute(self._sql.find_run, {"run_id": run_id})).first():
                        return run_id
                return await self._submit_run(on, run, files, tried)

        return await self._retried(submit)

    async def _submit_run(
        self, connection: AsyncConnection, run: Run, files: Files, tried: list[UUID]
    ) -> UUID:
        # The chat's row is locked before any row that refers to it: see `_open_run`.
        touched = {"row_id": run.chat_id, "new_updated_at": run.started_at, "taken": 0}
        if (await connection.execute(self._sql.take_numbers, touched)).rowcount == 0:
            msg = f"Chat {run.chat_id} was deleted, or its transaction was rolled back"
            raise ChatNotFound(msg)
        if run.idempotency_key is not None:
            key = {"chat_id": run.chat_id, "key": run.idempotency_key}
            sent = (await connection.execute(self._sql.run_of_key, key)).mappings().first()
            if sent is not None:
                return same_run(run_of(sent), run)
        last = await connection.execute(self._sql.last_queued, {"of_chat": run.chat_id})
        run = replace(run, id=new_id(after=last.scalar()))
        tried.append(run.id)
        row = inactive(run)
        await connection.execute(self._sql.run.insert(*row), row)
        await self.attachments.keep(connection, run.chat_id, files)
        return run.id

    def _asking(self, run: Run, prompt: Message | None) -> tuple[Run, Files]:
        """The run with its question, which refers to its files, and those."""
        files: Files = {}
        if prompt is not None:
            prompt = self.attachments.referring(prompt, files)
        return replace(run, question=queued_question(prompt)), files

    def _check_kept(self) -> None:
        if "question" not in self._sql.run.columns:
            msg = (
                f"{self._sql.run.table} has no column for queued questions: add the column question"
            )
            raise ConfigurationError(msg)

    async def enqueue_run(self, run: Run, prompt: Message | None = None) -> None:
        run, files = self._asking(run, prompt)
        try:
            await self.attachments.put_out(run.chat_id, files)
            await self._retried(lambda: self._enqueue_run(run, files))
        except DatabaseFailed as error:
            if not isinstance(error.__cause__, IntegrityError):
                raise
            if not await self._is_queued(run):
                raise await self._conflict_of(run) or error from error

    async def _is_queued(self, run: Run) -> bool:
        """Whether a transaction did it whose connection was lost over its commit."""
        found = await self.get_run(run.chat_id, run.id)
        return found is not None and (found.owner, found.status) == (run.owner, "waiting")

    async def _enqueue_run(self, run: Run, files: Files) -> None:
        place = {"row_id": run.id, "new_lease_until": run.lease_until}
        expired = {"of_chat": run.chat_id, "now": run.started_at}
        row = self._sql.run.stored(inactive(run))
        async with self.transaction() as connection:
            if (await connection.execute(self._sql.renew_queue_entry, place)).rowcount == 0:
                gone = await connection.execute(self._sql.expired_entries, expired)
                for entry in [run_of(found) for found in gone.mappings()]:
                    await self._end_queued(connection, entry, DIED_WAITING)
                await connection.execute(self._sql.new_run.insert(*row), row)
                await self.attachments.keep(connection, run.chat_id, files)

    async def dequeue_run(self, run: Run) -> None:
        await self._retried(lambda: self._changed(self._sql.dequeue_run, {"row_id": run.id}))

    async def requeue_run(self, run: Run) -> bool:
        return await self._retried(lambda: self._requeue_run(run))

    async def _requeue_run(self, run: Run) -> bool:
        """Of two that decide the last calls at once, the second one sees what the first did."""
        async with self.transaction() as connection:
            await connection.execute(self._sql.lock_run, {"of_chat": run.chat_id})
            mine = {"row_id": run.id}
            return (await connection.execute(self._sql.requeue_run, mine)).rowcount > 0

    async def find_run(self, run_id: UUID) -> Run | None:
        rows = await self._read(self._sql.find_run, run_id=run_id)
        return run_of(rows[0]) if rows else None

    async def list_runs(
        self,
        *,
        status: RunStatus | None,
        scope: Scope,
        limit: int,
        before: UUID | None = None,
        chat_id: UUID | None = None,
    ) -> list[Run]:
        statement = self._sql.list_runs(
            scope,
            by_status=status is not None,
            of_chat=chat_id is not None,
            after_key=before is not None,
        )
        page = {"status": status, "of_chat": chat_id, "before": before, "limit": limit}
        rows = await self._read(statement, **_given(page))
        return [run_of(row) for row in rows]

    async def count_runs(
        self, *, status: RunStatus | None, scope: Scope, chat_id: UUID | None = None
    ) -> int:
        statement = self._sql.count_runs(
            scope, by_status=status is not None, of_chat=chat_id is not None
        )
        rows = await self._read(statement, **_given({"status": status, "of_chat": chat_id}))
        return int(rows[0]["number"])

    async def pending_runs(self, chat_id: UUID, *, limit: int) -> list[Run]:
        page = {"of_chat": chat_id, "limit": limit}
        return [run_of(row) for row in await self._read(self._sql.pending_runs, **page)]

    async def ready_runs(self, *, limit: int) -> Sequence[Run]:
        return [run_of(row) for row in await self._read(self._sql.ready_runs, limit=limit)]


def _given(values: Values) -> Values:
    return {name: value for name, value in values.items() if value is not None}


def inactive(run: Run) -> Values:
    """The values of the row of a run that has not begun."""
    return {**values_of(run), "active_chat_id": None, "stop_requested": False}


def same_run(found: Run, run: Run) -> UUID:
    """The run of this key, if it asks the same."""
    if _fingerprint(found) != _fingerprint(run):
        msg = f"This key was used for another question, in run {found.id}: use a new key"
        raise SentBefore(msg, run_id=found.id)
    return found.id


def _fingerprint(run: Run) -> object:
    return run.settings.get("question") if isinstance(run.settings, dict) else None
