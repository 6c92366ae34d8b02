"""The runs of one chat, wherever they are: found, followed, stopped, repaired."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from uuid import UUID

from chatrecord.errors import (
    AnsweredElsewhere,
    AnswerInvalid,
    ApprovalPending,
    ChatBusy,
    NothingToResume,
    Refused,
    RunError,
    RunInterrupted,
    RunNotFound,
    RunStopped,
    error_from_text,
)
from chatrecord.llm.port import LLM
from chatrecord.records import Reply, Run, ToolCall, ToolCallStatus

from .feed import Feed
from .partition import Partition
from .process import Backend
from .repair import STOPPED, Repairer

STOP_POLL_SECONDS = 0.05
"""Seconds between two looks whether a run that was asked to stop has stopped."""


class ChatRuns:
    """Implements `chatrecord.runs.run_queue.Others` for a chat."""

    def __init__(
        self,
        backend: Backend,
        chat_id: UUID,
        llm: LLM,
        partition: Callable[[], Partition | None] = lambda: None,
    ) -> None:
        self._backend = backend
        self._chat_id = chat_id
        self._llm = llm
        self._partition = partition

    @property
    def _repairer(self) -> Repairer:
        """Of the current process: the chat may be inherited through a fork."""
        store, runtime = self._backend.store, self._backend.runtime
        return Repairer(store, runtime.journal, self._llm.answers, runtime.max_worker_deaths)

    async def repair(self) -> int:
        """End the runs of dead processes. Returns how many."""
        return await self._repairer.repair(chats=[self._chat_id])

    async def active(self) -> Run | None:
        """The run that is being worked on, by a process that is alive."""
        run = await self._backend.store.active_run(self._chat_id)
        if run is None or not await self.repair():
            return run
        return await self._backend.store.active_run(self._chat_id)

    async def find(self, run_id: UUID | None) -> Feed:
        """A run to be read: this one, or the active one, or else the last."""
        if run_id is None:
            run_id = await self._current()
        run_id = self._known(run_id)
        live = live_feed(self._backend, self._chat_id, run_id)
        if live is not None:
            return live
        run = await self._backend.store.get_run(self._chat_id, run_id)
        if run is None:
            raise self._no_run(run_id)
        follower = self._backend.runtime.follower
        return follower.follow(run, self._repairer, self._partition())

    def _known(self, run_id: UUID | str) -> UUID:
        try:
            return UUID(str(run_id))
        except ValueError as error:
            raise self._no_run(run_id) from error

    def _no_run(self, run_id: object) -> RunNotFound:
        return RunNotFound(f"There is no run {run_id} in chat {self._chat_id}")

    async def typed(self, reply: Reply[object], output_type: object | None) -> Reply[object]:
        """A reply that was read from rows, with its output as this type.

        Without one, as the agent's own, if it fits that still.
        """
        answer = await self._backend.store.get_message(self._chat_id, reply.message_id)
        if answer is None or reply.awaiting_approval:
            return reply
        (answer,) = await self._backend.store.with_files([answer])
        with suppress(*([AnswerInvalid] if output_type is None else [])):
            return replace(reply, output=await self._llm.output(answer, output_type))
        return reply

    async def stop(self, run_id: UUID | None = None) -> bool:
        """Stop the active run, or this one, wherever it is, and wait for its last transaction."""
        if run_id is not None and await self._stop_queued(self._known(run_id)):
            return True
        run = await self.active()
        if run is None or run_id not in (None, run.id):
            return False
        live = self._backend.runtime.journal.live(run.id)
        if live is not None:
            live.stop(RunStopped("The run was stopped"))
            await live.ended()
        is_elsewhere = live is None or live.lease(run.lease_until).epoch != run.epoch
        if is_elsewhere and run.status == "running":
            await self._backend.store.request_stop(run.id)
        while (still := await self.active()) is not None and still.id == run.id:
            if still.status in ("parked", "queued"):  # perhaps before it heard of this
                await self._repairer.abandon(still)
            else:
                await asyncio.sleep(STOP_POLL_SECONDS)
        return True

    async def _stop_queued(self, run_id: UUID) -> bool:
        """End a run that has not begun. Its question is kept."""
        store = self._backend.store
        while True:
            run = await store.get_run(self._chat_id, run_id)
            if run is None:
                raise self._no_run(run_id)
            if run.status not in ("queued", "waiting") or run.question is None:
                return False
            if await store.end_queued(run, STOPPED):
                return True
            if run == await store.get_run(self._chat_id, run_id):
                return False  # it has begun before, and holds its chat

    async def end(self, run_id: UUID, why: str, *, requeues: bool) -> None:
        """End this run if this process owns it and no task works on it."""
        run = await self._backend.store.get_run(self._chat_id, run_id)
        journal = self._backend.runtime.journal
        is_mine = run is not None and (run.status, run.owner) == ("running", journal.owner)
        if run is not None and is_mine and journal.live(run_id) is None:
            await self._repairer.end(run, why, requeues=requeues)

    async def to_work_on(self, run_id: UUID) -> Run:
        """This run, if no other process answers it just now.

        Raises `AnsweredElsewhere` if one does.
        """
        await self.repair()
        run = await self._backend.store.get_run(self._chat_id, self._known(run_id))
        if run is None:
            raise self._no_run(run_id)
        is_here = self._backend.runtime.journal.tasks_of(run.id)
        if run.status in ("running", "waiting") or is_here:
            where = "this process" if is_here else "another process"
            msg = f"Run {run.id} is being answered by {where}: follow it"
            raise AnsweredElsewhere(msg, run_id=run.id)
        return run

    async def is_decided(self, run: Run) -> bool:
        """Whether no call of a parked run waits for approval any more."""
        return run.status == "parked" and not await self._undecided(run)

    def is_lost(self, run: Run) -> bool:
        """Whether this run has ended before it began, and nobody has stopped it."""
        has_ended = run.status == "interrupted" and run.question is not None
        error = error_from_text(run.error or "", otherwise=RunInterrupted)
        return has_ended and not isinstance(error, RunStopped)

    async def can_resume(self, run: Run) -> bool:
        """Whether this run is the last, and can be resumed."""
        with suppress(NothingToResume, RunNotFound):
            return (await self.to_resume()).id == run.id
        return False

    async def queue_again(self, run: Run) -> None:
        """Let any worker go on with a run that was parked, or has ended badly."""
        await self._repairer.queue_again(run)

    async def to_resume(self) -> Run:
        """The chat's last run, which has been parked or has ended badly.

        Raises `ApprovalPending` while a call of it is undecided.
        """
        run = await self._backend.store.get_run(self._chat_id, await self._current())
        if run is None or run.status == "complete":
            msg = f"The last run of chat {self._chat_id} completed: there is nothing to resume"
            raise NothingToResume(msg)
        if run.replaces is not None and run.status != "parked":
            msg = f"Run {run.id} was a replacement: call regenerate() or edit() again"
            raise NothingToResume(msg)
        if run.error is not None and isinstance(
            error_from_text(run.error, otherwise=RunError), Refused
        ):
            msg = f"The question or answer of run {run.id} was refused: ask another question"
            raise NothingToResume(msg)
        if run.status == "running":
            msg = f"Run {run.id} is being worked on: follow it instead"
            raise ChatBusy(msg, run_id=run.id)
        if run.status == "parked":
            await self._check_decided(run)
        else:
            await self._check_current(run)
        return run

    async def _check_current(self, run: Run) -> None:
        rows = await self._backend.store.rows_of(run, with_journal=False)
        if rows.messages and all(message.status == "superseded" for message in rows.messages):
            msg = f"Run {run.id} is of another branch than the current one: restore that first"
            raise NothingToResume(msg)

    async def _check_decided(self, run: Run) -> None:
        """The calls are read after the run, which may have been parked only just now."""
        undecided = await self._undecided(run)
        if undecided:
            names = ", ".join(f"{call.name} ({call.call_id})" for call in undecided)
            msg = f"Approve or deny these tool calls first: {names}"
            raise ApprovalPending(msg, run_id=run.id)

    async def pending_approvals(self) -> list[ToolCall]:
        """The tool calls that wait to be approved or denied."""
        run = await self._backend.store.active_run(self._chat_id)
        return await self._undecided(run) if run is not None and run.status == "parked" else []

    async def _undecided(self, run: Run) -> list[ToolCall]:
        calls = (await self._backend.store.rows_of(run)).tool_calls
        return [call for call in calls if call.status == "awaiting_approval"]

    async def decide(
        self, call_id: str, *, status: ToolCallStatus, error: str | None
    ) -> UUID | None:
        """Approve or deny one of them. Returns the run's id if it can go on now."""
        store = self._backend.store
        if not await store.decide(self._chat_id, call_id, status=status, error=error):
            msg = f"No tool call {call_id!r} waits for approval in chat {self._chat_id}"
            raise RunNotFound(msg)
        run = await store.active_run(self._chat_id)
        if run is None or run.status != "parked" or await self._undecided(run):
            return None
        if run.is_submitted and not await store.requeue_run(run):
            return None  # who decided the last call at the same time hands it on
        return run.id

    def queue(self) -> asyncio.Lock:
        """Entered one after the other, in the order of arrival."""
        return self._backend.runtime.queue(self._chat_id)

    async def _current(self) -> UUID:
        active = await self.active()
        if active is not None:
            return active.id
        for message in await self._backend.store.messages(self._chat_id, limit=1, before=None):
            if message.run_id is not None:
                return message.run_id
        msg = f"Chat {self._chat_id} has no run yet"
        raise RunNotFound(msg)


def live_feed(backend: Backend, chat_id: UUID, run_id: UUID) -> Feed | None:
    """A run of this process, if it has all of its chunks."""
    live = backend.runtime.journal.live(run_id)
    if isinstance(live, Feed) and live.chat_id == chat_id and live.is_whole:
        return live
    return None


def feed_of(backend: Backend, run: Run, repairer: Repairer) -> Feed:
    """The chunks of a run of any process."""
    live = live_feed(backend, run.chat_id, run.id)
    return backend.runtime.follower.follow(run, repairer) if live is None else live
