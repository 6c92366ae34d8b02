"""Ends the runs of dead processes, from their rows in the database.

Nothing is dropped and nothing is run again: a partial answer becomes an interrupted one, and every
tool call gets an answer, so that the chat can continue with any provider.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal, TypeAlias
from uuid import UUID

from chatrecord.errors import ChatBusy, ChatRecordError, DatabaseFailed, LeaseLost
from chatrecord.events import NewEvent
from chatrecord.llm.port import Body
from chatrecord.records import Message, Run, ToolCall
from chatrecord.store.changes import NO_EXPIRY, Changes, JournalEntry, Lease
from chatrecord.store.retries import with_retries
from chatrecord.store.rows import RunRows
from chatrecord.store.times import marked

from . import run_events
from .cancellation import run_to_completion
from .journal import Journal
from .row_changes import ended_call, whole_message
from .stores import RepairStore
from .tool_answers import calls_without_result, last_answer
from .worker_deaths import with_another_death, without_deaths, worker_deaths

log = logging.getLogger("chatrecord")

_NextStatus: TypeAlias = Literal["interrupted", "failed", "queued"]
"""Of a run that has lost its process: it has ended, or another worker goes on with it."""

BATCH = 100
"""Runs looked at in one go."""

DIED = "The process that ran this ended without a word"

DIED_WAITING = "The process in which this question waited ended before its turn"

_DIED_TOO_OFTEN = (
    "WorkersDied: {deaths} workers in a row died while they answered this run, so no other tries "
    "it. Look for what killed them, such as a lack of memory; chat.resume() tries it again"
)

STOPPED = "RunStopped: The run was stopped"
"""As the row of a run says it: see `error_from_text`."""


@dataclass(frozen=True, slots=True)
class Repairer:
    """Repairs runs for the process of this journal. `answers` makes what answers tool calls.

    A run fails after `max_worker_deaths` in a row.
    """

    store: RepairStore
    journal: Journal
    answers: Callable[[Sequence[ToolCall]], Body]
    max_worker_deaths: int

    async def repair(self, *, chats: Sequence[UUID] | None = None) -> int:
        """End all expired runs, of these chats or of all. Returns how many this process has ended.

        Runs that this process works on itself are left alone: it was paused or starved, and goes
        on with them. A run with damaged rows stops the repair of its own chat only.
        """
        repaired = 0
        while True:
            expired = await self.store.expired_runs(datetime.now(UTC), chats=chats, limit=BATCH)
            is_for_one = chats is not None and len(chats) == 1
            ended = [await self._repaired(run, is_for_one=is_for_one) for run in expired]
            repaired += sum(ended)
            if len(expired) < BATCH or not any(ended):
                return repaired

    async def _repaired(self, run: Run, *, is_for_one: bool) -> bool:
        try:
            return await run_to_completion(self._repair_one(run))
        except ChatRecordError as error:
            if is_for_one or (isinstance(error, DatabaseFailed) and error.may_pass):
                raise
            log.warning("Run %s could not be repaired: %s", run.id, error)
            return False

    async def abandon(self, run: Run) -> bool:
        """End a run that is parked or queued: the calls that wait for approval are denied."""
        given_up = "The run was given up" if run.status == "parked" else STOPPED
        return await run_to_completion(self._take_and_end(run, given_up, "interrupted"))

    async def end(self, run: Run, why: str, *, requeues: bool) -> bool:
        """End a run of this process that has no live task, or leave it to another worker."""
        status: _NextStatus = "queued" if requeues and run.is_submitted else "interrupted"
        return await run_to_completion(self._take_and_end(run, why, status))

    async def queue_again(self, run: Run) -> None:
        """Let any worker go on with a run that was parked, or has ended badly."""
        await run_to_completion(self._queue_again(run))

    async def _queue_again(self, run: Run) -> None:
        until = marked(datetime.now(UTC) + self.journal.lease)
        taken = await self.store.reopen(run, owner=self.journal.owner, until=until)
        if taken is None:
            msg = f"Run {run.id} is already resumed by another process"
            raise ChatBusy(msg, run_id=run.id)
        kept = taken.settings if isinstance(taken.settings, dict) else {}
        queued = replace(taken, status="queued", settings={**kept, "submitted": True})
        changes = Changes(run.chat_id, Lease(run.id, taken.owner, taken.epoch, NO_EXPIRY))
        changes.put(queued)
        await with_retries(lambda: self.store.write(changes), self.journal.patience)

    async def _take_and_end(self, run: Run, why: str, status: _NextStatus) -> bool:
        """Under a new epoch: whatever did not let go of the run writes nothing meanwhile."""
        until = marked(datetime.now(UTC) + self.journal.lease)
        taken = await self.store.reopen(run, owner=self.journal.owner, until=until)
        return taken is not None and await self._end(taken, why, status)

    async def _repair_one(self, run: Run) -> bool:
        if self.journal.tasks_of(run.id):
            return False
        if run.status == "waiting":
            return await self._end_waiting(run)
        now = datetime.now(UTC)
        until = marked(now + self.journal.lease)
        claimed = await self.store.claim(run, owner=self.journal.owner, now=now, until=until)
        if claimed is None:
            return False
        if not run.is_submitted:
            return await self._end(claimed, DIED, "interrupted")
        deaths = worker_deaths(claimed) + 1
        if deaths < self.max_worker_deaths:
            return await self._end(with_another_death(claimed), DIED, "queued")
        return await self._end(claimed, _DIED_TOO_OFTEN.format(deaths=deaths), "failed")

    async def _end_waiting(self, run: Run) -> bool:
        """End a run that waited in a process that died. Its question is kept, if it is stored."""
        if run.question is not None:
            return await self.store.end_queued(run, DIED_WAITING)
        await self.store.dequeue_run(run)
        return True

    async def _end(self, run: Run, why: str, status: _NextStatus) -> bool:
        rows = await self.store.rows_of(run)
        until = NO_EXPIRY if status == "queued" else datetime.now(UTC) + self.journal.lease
        lease = Lease(run.id, run.owner, run.epoch, until)
        changes = repair_changes(run, rows, self.answers, lease=lease, why=why, status=status)
        try:
            await with_retries(lambda: self.store.write(changes), self.journal.patience)
        except LeaseLost:
            return False
        return True


def repair_changes(
    run: Run,
    rows: RunRows,
    answers: Callable[[Sequence[ToolCall]], Body],
    *,
    lease: Lease,
    why: str,
    status: _NextStatus,
) -> Changes:
    """The changes after which no row of this run is open."""
    changes = Changes(run.chat_id, lease)
    changes.put(_let_go(run, why, status))
    for message in rows.messages:
        ended = message
        if message.status == "streaming":
            ended = folded(message, rows.journal)
            changes.journaled.add(message.id)
        if run.replaces is not None:
            ended = replace(ended, status="superseded")
        if ended is not message:
            changes.put(ended)
    for request in rows.requests:
        if request.status == "running":
            changes.put(replace(request, status="interrupted", error=why))
    calls = [_closed(call) for call in rows.tool_calls]
    for call, before in zip(calls, rows.tool_calls, strict=True):
        if call is not before:
            changes.put(call)
    if run.replaces is None:  # the old messages stay valid, not those of this run
        _answer(changes, run, rows.messages, calls, answers)
    changes.event = _event(run, rows.messages, why, status)
    return changes


def _let_go(run: Run, why: str, status: _NextStatus) -> Run:
    if status == "queued":
        return replace(run, status=status)
    ended = replace(run, status=status, error=why, finished_at=datetime.now(UTC), question=None)
    return without_deaths(ended)


def _event(run: Run, messages: Sequence[Message], why: str, status: _NextStatus) -> NewEvent | None:
    if status == "queued":  # it has not ended: nobody is told
        return None
    answer, died = last_answer(messages), why == DIED
    return run_events.ended_from_outside(run, messages, answer, why, died=died)


def _answer(
    changes: Changes,
    run: Run,
    messages: Sequence[Message],
    calls: Sequence[ToolCall],
    answers: Callable[[Sequence[ToolCall]], Body],
) -> None:
    """Give the calls of the last answer their results, where no message has done so."""
    answer = last_answer(messages)
    if answer is None:
        return  # the chat was deleted meanwhile
    last = max(messages, key=lambda message: message.seq)
    open_calls = calls_without_result(answer, messages, calls)
    if open_calls:
        changes.add(whole_message(run, last.seq + 1, answers(open_calls)))
        changes.next_seq = last.seq + 2


def folded(message: Message, journal: Sequence[JournalEntry]) -> Message:
    """A message that was streaming, ended with what the journal has of it."""
    pieces = [entry.piece for entry in journal if entry.message_id == message.id]
    text = "".join(said for kind, said in pieces if kind == "text")
    reasoning = "".join(said for kind, said in pieces if kind == "reasoning")
    return replace(
        message,
        status="interrupted",
        text=text,
        reasoning=reasoning or None,
        finished_at=datetime.now(UTC),
    )


def _closed(call: ToolCall) -> ToolCall:
    if call.status in ("pending", "running"):
        return ended_call(call, "interrupted", None, None)
    if call.status == "awaiting_approval":
        return replace(call, status="denied", finished_at=datetime.now(UTC))
    return call
