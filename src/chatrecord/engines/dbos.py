"""Answers by DBOS: each run a durable workflow, kept in the PostgreSQL of the application."""

from __future__ import annotations

import asyncio
from uuid import UUID

from dbos import DBOS, DBOSClient, EnqueueOptions
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from chatrecord.sqlalchemy.database import AnyDatabase

from .attempts import LLMFor, attempt

QUEUE = "chats"
NAME = "chatrecord.answer"


class DBOSAnswers:
    """The workflow that answers runs, in a worker. Make it before `DBOS.launch()`.

        answers = DBOSAnswers(db, llm_for)
        DBOS.launch()
        answers.listen()

    `llm_for` says which LLM a chat gets: see `Database.work_on`. A run that is not its chat's turn
    sleeps in its workflow.
    """

    def __init__(
        self, db: AnyDatabase, llm_for: LLMFor, *, queue: str = QUEUE, name: str = NAME
    ) -> None:
        @DBOS.step(name=f"{name}.attempt")
        async def attempted(run_id: str, attempts: int) -> float | None:
            return await attempt(db, run_id, llm_for, attempts=attempts)

        @DBOS.workflow(name=name)
        async def answer(run_id: str) -> None:
            attempts = 0
            while (seconds := await attempted(run_id, attempts)) is not None:
                attempts += 1
                await DBOS.sleep_async(seconds)

        self._queue = queue

    def listen(self, *, concurrency: int = 10) -> None:
        """Take runs from the queue, so many at a time. After `DBOS.launch()`."""
        DBOS.register_queue(self._queue, worker_concurrency=concurrency)


class DBOSDispatch:
    """Hands runs to workers, from a process that runs no workflows.

        dispatch = DBOSDispatch(DBOSClient(system_database_url=url), db)
        await dispatch(run_id)

    A run is one workflow each time that it is queued: dispatched twice, it is enqueued once.
    """

    def __init__(
        self, client: DBOSClient, db: AnyDatabase, *, queue: str = QUEUE, name: str = NAME
    ) -> None:
        self._client = client
        self._db = db
        self._queue = queue
        self._name = name

    async def __call__(
        self, run_id: UUID, *, connection: AsyncConnection | AsyncSession | None = None
    ) -> None:
        """Enqueue a run.

        With `connection` (the one that was given to `chat.submit`) it is part of the same
        transaction. This needs the system tables of DBOS to be in the database of the chats.
        """
        if connection is not None:
            inner = (
                await connection.connection()
                if isinstance(connection, AsyncSession)
                else connection
            )
            await inner.run_sync(self._enqueue_in_transaction, run_id)
            return
        run = await self._db.store.find_run(run_id)
        epoch = 0 if run is None else run.epoch
        await asyncio.to_thread(self._client.enqueue, self._options(run_id, epoch), str(run_id))

    def _enqueue_in_transaction(self, connection: Connection, run_id: UUID) -> None:
        self._client.enqueue_in_transaction(connection, self._options(run_id, 0), str(run_id))

    def _options(self, run_id: UUID, epoch: int) -> EnqueueOptions:
        return EnqueueOptions(
            workflow_name=self._name,
            queue_name=self._queue,
            workflow_id=f"chatrecord:{run_id}:{epoch}",
        )
