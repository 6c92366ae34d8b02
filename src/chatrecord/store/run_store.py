"""The port to runs: begun, written, taken over, decided, found."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from chatrecord.records import (
    Run,
    ToolCallStatus,
)

from .changes import Changes
from .rows import Begun, RunStart


class RunStore(Protocol):
    """Runs: begun, written, taken over, decided, found.

    Each method is its own transaction, unless it says otherwise. A failure raises a
    `ChatRecordError` or the driver's own error, never silently; a database that does not answer
    has failed, too.
    """

    async def begin(self, start: RunStart) -> Begun:
        """Begin a run, or raise `ChatBusy` where another is active."""

    async def write(self, changes: Changes) -> None:
        """Write what a run has to say."""

    async def claim(self, run: Run, *, owner: str, now: datetime, until: datetime) -> Run | None:
        """Take over a run whose lease has expired; `None` if another process was faster."""

    async def reopen(self, run: Run, *, owner: str, until: datetime) -> Run | None:
        """Take up a run that was parked or has ended; `None` where it is not as `run` says.

        Raises `NothingToResume` if the chat has newer messages than the run.
        """

    async def request_stop(self, run_id: UUID) -> bool:
        """Ask the owner of this run to stop it. Returns whether it was active."""

    async def decide(
        self, chat_id: UUID, call_id: str, *, status: ToolCallStatus, error: str | None
    ) -> bool:
        """Approve or deny a tool call that waits for it. Returns whether one did."""

    async def get_run(self, chat_id: UUID, run_id: UUID) -> Run | None:
        """This run of the chat."""

    async def active_run(self, chat_id: UUID) -> Run | None:
        """The run that holds the chat."""

    async def run_of_key(self, chat_id: UUID, key: str) -> Run | None:
        """The run of the chat that was begun with this idempotency key."""

    async def expired_runs(
        self, now: datetime, *, chats: Sequence[UUID] | None, limit: int
    ) -> list[Run]:
        """Active runs whose lease has expired, of these chats or of all.

        Of all: queued ones, too.
        """
