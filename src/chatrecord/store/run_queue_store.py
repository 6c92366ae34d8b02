"""The port to the queue of those that wait for a chat, in a process or for a worker."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from chatrecord.records import (
    Message,
    Run,
    RunStatus,
)

from .chat_store import Scope


class RunQueueStore(Protocol):
    """The queue of those that wait for a chat, in a process or for a worker.

    Each method is its own transaction, unless it says otherwise. A failure raises a
    `ChatRecordError` or the driver's own error, never silently; a database that does not answer
    has failed, too.
    """

    async def submit_run(
        self, run: Run, prompt: Message | None, *, connection: object | None = None
    ) -> UUID:
        """Store a run that waits for a worker, and what it will ask. Returns its id.

        It is the last in the queue of its chat. A run of the same idempotency key and question is
        the same run; `SentBefore` is raised where the question was another one. With `connection`
        it is part of that transaction.
        """

    async def enqueue_run(self, run: Run, prompt: Message | None = None) -> None:
        """Write down, or once more, that this run waits for its turn, as long as its lease is good.

        The runs that wait for a chat are ordered by their ids. What it will ask is kept with it.
        Raises the error that ended it meanwhile.
        """

    async def dequeue_run(self, run: Run) -> None:
        """This run waits no more."""

    async def end_queued(self, run: Run, why: str) -> bool:
        """End a run that has not begun, and keep its question. Returns whether it had not begun.

        One that waits in a process is ended only as long as its lease is what `run` says.
        """

    async def requeue_run(self, run: Run) -> bool:
        """Let any worker go on with a parked run. Returns whether it was parked, with nothing left
        to decide.
        """

    async def find_run(self, run_id: UUID) -> Run | None:
        """This run, of whichever chat."""

    async def list_runs(
        self,
        *,
        status: RunStatus | None,
        scope: Scope,
        limit: int,
        before: UUID | None = None,
        chat_id: UUID | None = None,
    ) -> list[Run]:
        """A page of runs with this status, of chats within the scope, newest first."""

    async def count_runs(
        self, *, status: RunStatus | None, scope: Scope, chat_id: UUID | None = None
    ) -> int:
        """How many there are."""

    async def pending_runs(self, chat_id: UUID, *, limit: int) -> list[Run]:
        """The first runs in the queue of a chat, those that wait in a process included."""

    async def ready_runs(self, *, limit: int) -> Sequence[Run]:
        """Queued runs that no other run of their chat is ahead of, oldest first."""
