"""Answers by taskiq, over NATS, Redis or another of its brokers."""

from __future__ import annotations

import asyncio
from uuid import UUID

from taskiq import AsyncBroker

from chatrecord.sqlalchemy.database import AnyDatabase

from .attempts import LLMFor, attempt


class TaskiqAnswers:
    """The task that answers runs, in a taskiq broker.

        answers = TaskiqAnswers(broker, db, llm_for)
        await answers.dispatch(run_id)

    `llm_for` says which LLM a chat gets (see `Database.work_on`). Web processes and workers make
    the same one; workers run taskiq's command. A run that is not its chat's turn waits in its
    worker.
    """

    def __init__(
        self,
        broker: AsyncBroker,
        db: AnyDatabase,
        llm_for: LLMFor,
        *,
        name: str = "chatrecord.answer",
    ) -> None:
        async def answer(run_id: str) -> None:
            attempts = 0
            while (seconds := await attempt(db, run_id, llm_for, attempts=attempts)) is not None:
                attempts += 1
                await asyncio.sleep(seconds)

        self.task = broker.register_task(answer, task_name=name)

    async def dispatch(self, run_id: UUID) -> None:
        """Send a run to a worker."""
        await self.task.kiq(str(run_id))
