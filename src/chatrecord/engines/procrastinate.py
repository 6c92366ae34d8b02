"""Answers by procrastinate: jobs in the PostgreSQL of the chats, enqueued with their question."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from procrastinate import App, BaseRetryStrategy, JobContext, RetryDecision
from procrastinate.exceptions import AlreadyEnqueued
from procrastinate.jobs import Job
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from chatrecord.errors import ConfigurationError
from chatrecord.sqlalchemy.database import AnyDatabase

from .attempts import LLMFor, attempt


class _TryAgain(Exception):
    """The run is to be tried again in so many seconds."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"in {seconds} seconds")
        self.seconds = seconds


class _WhenItIsTime(BaseRetryStrategy):
    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        del job
        if not isinstance(exception, _TryAgain):
            return None
        return RetryDecision(retry_in={"seconds": int(exception.seconds)})


class ProcrastinateAnswers:
    """The task that answers runs, in a procrastinate `App`.

        answers = ProcrastinateAnswers(app, db, llm_for)
        await answers.dispatch(run_id)

    `app` is the application's, `llm_for` says which LLM a chat gets (see `Database.work_on`), and
    `queue` is the queue of the jobs. Web processes and workers make the same one. Workers run
    `app.run_worker_async(queues=["chats"])`, or procrastinate's command.
    """

    def __init__(
        self,
        app: App,
        db: AnyDatabase,
        llm_for: LLMFor,
        *,
        queue: str = "chats",
        name: str = "chatrecord.answer",
    ) -> None:
        async def answer(context: JobContext, run_id: str) -> None:
            attempts = context.job.attempts
            seconds = await attempt(db, run_id, llm_for, attempts=attempts)
            if seconds is not None:
                raise _TryAgain(seconds)

        register = app.task(name=name, queue=queue, retry=_WhenItIsTime(), pass_context=True)
        self.task = register(answer)

    async def dispatch(
        self, run_id: UUID, *, connection: AsyncConnection | AsyncSession | None = None
    ) -> None:
        """Enqueue a run; nothing happens if a job for it is waiting already.

        With `connection` (the one that was given to `chat.submit`) the job is part of the same
        transaction. This needs the driver psycopg: `postgresql+psycopg://`.
        """
        options: Mapping[str, Any] = {"queueing_lock": f"chatrecord:{run_id}"}
        if connection is None:
            deferrer = self.task.configure(**options)
            try:
                await deferrer.defer_async(run_id=str(run_id))
            except AlreadyEnqueued:
                return
        else:
            raw = await _psycopg_connection(connection)
            await self.task.configure(connection=raw).defer_async(run_id=str(run_id))


async def _psycopg_connection(given: AsyncConnection | AsyncSession) -> Any:
    connection = await given.connection() if isinstance(given, AsyncSession) else given
    if connection.dialect.driver not in ("psycopg", "psycopg_async"):
        msg = (
            f"The job cannot be part of a transaction of {connection.dialect.driver}: use "
            "postgresql+psycopg:// for this engine, or dispatch after the commit"
        )
        raise ConfigurationError(msg)
    raw = await connection.get_raw_connection()
    return raw.driver_connection
