"""Answers by Celery, over RabbitMQ or Redis."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import UUID

from celery import Celery, Task

from chatrecord.chats.sync import wait
from chatrecord.sqlalchemy.database import AnyDatabase

from .attempts import LLMFor, attempt


class CeleryAnswers:
    """The task that answers runs, in a Celery app.

        answers = CeleryAnswers(app, lambda: Database(url), llm_for)
        answers.delay(run_id)

    `database` makes a `Database`: each process makes its own, once, when it first needs it, since
    Celery forks its workers. `llm_for` says which LLM a chat gets (see `Database.work_on`). Web
    processes and workers make the same one.

    A job is acknowledged when its run has ended (`acks_late`), so that RabbitMQ hands it to another
    worker where one is killed.
    """

    def __init__(
        self,
        app: Celery,
        database: Callable[[], AnyDatabase],
        llm_for: LLMFor,
        *,
        queue: str = "chats",
        name: str = "chatrecord.answer",
    ) -> None:
        found: list[AnyDatabase] = []

        def answer(task: Task[Any, Any], run_id: str) -> None:
            if not found:
                found.append(database())
            attempts = task.request.retries
            seconds = wait(attempt(found[0], run_id, llm_for, attempts=attempts))
            if seconds is not None:
                raise task.retry(countdown=seconds)

        self.queue = queue
        self.task = app.task(
            bind=True,
            name=name,
            max_retries=None,
            acks_late=True,
            reject_on_worker_lost=True,
            ignore_result=True,
        )(answer)

    def delay(self, run_id: UUID) -> None:
        """Send a run to a worker."""
        self.task.apply_async(args=[str(run_id)], queue=self.queue)

    async def dispatch(self, run_id: UUID) -> None:
        """The same without blocking the event loop."""
        await asyncio.to_thread(self.delay, run_id)
