"""Runs that another process works on, or has worked on, read from the database."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Hashable, Iterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from itertools import groupby
from time import monotonic
from uuid import UUID

from chatrecord.errors import RunError, RunInterrupted, error_from_text
from chatrecord.llm.stored_part import StoredPart
from chatrecord.llm.stored_parts import outputs_of, stored_parts
from chatrecord.records import Chunk, ChunkKind, Message, Reply, Run, ToolCall
from chatrecord.spending.usage import usage_of
from chatrecord.store.changes import JournalEntry
from chatrecord.store.rows import RunRows, RunState
from chatrecord.store.times import DATABASE_TIMEOUT

from .chunks import ChunkMaker, made, part_of
from .feed import Feed
from .partition import Partition, are_partitioned, by_partition, in_partition, key_of
from .repair import Repairer
from .stores import FollowerStore

log = logging.getLogger("chatrecord")

POLL_SECONDS = 0.25
"""Seconds between two looks at all the runs that are followed: one query for all of them."""


class FollowedRun(Feed):
    """A run as its rows tell it. What grows in the database is handed on to its readers."""

    def __init__(self, store: FollowerStore, run: Run, partition: Partition | None = None) -> None:
        super().__init__(run.id)
        self.run = run
        self.partition = partition
        self._under_way = True
        self._store = store
        self._state: RunState | None = None
        self._maker = ChunkMaker()
        self._read_to: dict[UUID, int] = {}
        self._reported: set[tuple[UUID, str, str]] = set()
        self._told: set[UUID] = set()

    @property
    def positions(self) -> Mapping[UUID, int]:
        """The message that is streaming, if one is known, and up to where it has been read."""
        return self._read_to

    async def update(self, state: RunState | None, pieces: Sequence[JournalEntry]) -> None:
        """Hand on these new pieces. Read the rest of what is new, if this state says so."""
        if state is None:
            self._finish(RunInterrupted(f"Run {self.id} was deleted or left the queue"))
            return
        if pieces:
            self._deliver(self._read(pieces))
            return
        if state == self._state:
            return
        self._state = state
        rows = await self._store.rows_of(self.run, with_journal=False)
        self._deliver([*self._restarts(rows, state), *await self._news_of(rows, state)])
        if state.status not in ("waiting", "queued", "running"):
            self._end(state, rows)

    def give_up(self, error: Exception) -> None:
        """Nothing more is to be learnt of it here."""
        self._finish(error)

    def _read(self, pieces: Sequence[JournalEntry]) -> list[Chunk]:
        chunks = []
        for entry in pieces:
            chunk = self._maker.read(entry)
            chunks.append(chunk)
            self._told.add(entry.message_id)
            if (part := part_of(chunk)) is not None:
                self._reported.add((entry.message_id, *part.identity))
            self._read_to[entry.message_id] = entry.seq
        return chunks

    def _restarts(self, rows: RunRows, state: RunState) -> list[Chunk]:
        """Tell of messages that have been read in part, and are answered anew."""
        if state.status in ("failed", "interrupted"):
            return []
        standing = {message.id for message in _standing(rows.messages, state)}
        void = [it.id for it in rows.messages if it.id in self._told and it.id not in standing]
        self._told.difference_update(void)
        for message_id in void:
            self._read_to.pop(message_id, None)
        return [Chunk("restart", message_id) for message_id in void]

    async def _news_of(self, rows: RunRows, state: RunState) -> list[Chunk]:
        chunks = []
        for message in _standing(rows.messages, state):
            if message.role == "assistant":
                chunks += await self._grown(message)
            if message.role == "assistant" and message.status != "streaming":
                chunks += self._called(message, rows)
        return chunks

    async def _grown(self, message: Message) -> list[Chunk]:
        if message.status == "streaming":
            read_to = self._read_to.setdefault(message.id, -1)
            return self._read(await self._store.journal(message.id, after=read_to))
        self._read_to.pop(message.id, None)
        parts = stored_parts(message)
        outputs = await self._outputs(parts)
        chunks: list[Chunk] = []
        for part in self._unread(message, parts):
            if not part.is_made and part.kind != "call":
                chunks.append(self._maker.grown(message.id, part.kind, part.text))
            elif part.is_made and (message.id, *part.identity) not in self._reported:
                self._reported.add((message.id, *part.identity))
                chunks.append(made(part, message.id))
        return [*chunks, *self._rest_of_calls(message, parts, outputs)]

    def _unread(self, message: Message, parts: Sequence[StoredPart]) -> Iterator[StoredPart]:
        """The parts, where words have been read without those. Others may have been told before."""
        unread = {
            "reasoning": self._maker.seen[message.id, "reasoning", ""],
            "text": self._maker.seen[message.id, "text", ""],
        }
        for part in parts:
            read = min(unread.get(part.kind, 0), len(part.text))
            if part.kind in unread:
                unread[part.kind] -= read
            if part.text[read:] or part.is_made:
                yield replace(part, text=part.text[read:])

    async def _outputs(self, parts: Sequence[StoredPart]) -> Mapping[str, str | None]:
        """Which calls are the output of the run: its row may be newer than the one known here."""
        outputs = outputs_of(self.run.settings)
        if not outputs and any(part.kind == "call" for part in parts):
            rows = await self._store.rows_of_runs(self.run.chat_id, {self.id})
            self.run = next((run for run in rows.runs if run.id == self.id), self.run)
            outputs = outputs_of(self.run.settings)
        return outputs

    def _rest_of_calls(
        self, message: Message, parts: Sequence[StoredPart], outputs: Mapping[str, str | None]
    ) -> Iterator[Chunk]:
        """The rest of its output, and of arguments of which some have been read."""
        of_text = [StoredPart("call", message.text)] if "" in outputs else []
        for call in [*(part for part in parts if part.kind == "call"), *of_text]:
            kind = "output" if call.name in outputs else "tool_input"
            read = self._maker.seen[message.id, kind, call.call_id]
            if len(call.text) > read and (read or kind == "output"):
                yield self._maker.grown(
                    message.id,
                    kind,
                    call.text[read:],
                    call_id=call.call_id,
                    name=call.name,
                    key=outputs.get(call.name),
                )

    def _called(self, message: Message, rows: RunRows) -> list[Chunk]:
        chunks = []
        for call in rows.tool_calls:
            if call.message_id == message.id:
                chunks += [
                    Chunk(kind, message.id, tool_call=call)
                    for kind in _stages(call)
                    if (call.id, kind, "") not in self._reported
                ]
                self._reported |= {(call.id, kind, "") for kind in _stages(call)}
        return chunks

    def _end(self, state: RunState, rows: RunRows) -> None:
        answer = next((m for m in reversed(rows.messages) if m.role == "assistant"), None)
        if answer is None and state.error is not None:  # it has ended before it began
            self._finish(error_from_text(state.error, otherwise=RunInterrupted))
            return
        if answer is None:
            self._finish(RunInterrupted(f"Run {self.id} was deleted"))
            return
        if state.status in ("complete", "parked"):
            self._finish(None, _reply_of(self.run, answer, rows))
            return
        otherwise = RunInterrupted if state.status == "interrupted" else RunError
        error = error_from_text(
            state.error or f"Run {self.id} has {state.status}", otherwise=otherwise
        )
        error.attach_context(self.id, answer.text)
        self._finish(error)


class Follower:
    """Looks at every followed run of this process in one query, as long as there are any."""

    def __init__(self, store: FollowerStore, patience: timedelta = DATABASE_TIMEOUT) -> None:
        self._store = store
        self._patience = patience.total_seconds()
        self._runs: dict[UUID, FollowedRun] = {}
        self._task: asyncio.Task[None] | None = None
        self._notified = asyncio.Event()

    def follow(
        self, run: Run, repairer: Repairer, partition: Partition | None = None
    ) -> FollowedRun:
        """Follow this run, together with its other readers in this process."""
        followed = self._runs.get(run.id)
        if followed is None:
            followed = self._runs[run.id] = FollowedRun(self._store, run, partition)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._follow(repairer), name="chatrecord watcher")
            self._task.add_done_callback(self._leave)
        return followed

    def _leave(self, task: asyncio.Task[None]) -> None:
        """All tasks of the loop were cancelled: nothing polls for the readers."""
        if task is self._task:
            self._give_up(RunInterrupted("The reader of the run was cancelled"))

    async def close(self) -> None:
        """Look no more."""
        if self._task is not None and not self._task.done():
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._give_up(RunInterrupted("The database was closed in this process"))

    async def _follow(self, repairer: Repairer) -> None:
        while self._runs:  # also those that came while the listener was closed
            async with self._listening():
                await self._poll_all(repairer)

    async def _poll_all(self, repairer: Repairer) -> None:
        failing_since: dict[Hashable, float] = {}

        async def poll(followed: Sequence[FollowedRun]) -> None:
            began, key = monotonic(), key_of(followed[0])
            try:
                await self._poll(followed, repairer)
                failing_since.pop(key, None)
            except Exception as error:  # noqa: BLE001 - whatever it is, the readers are to hear of it
                log.warning("Polling runs failed: %s", type(error).__name__)
                if monotonic() - failing_since.setdefault(key, began) > self._patience:
                    self._give_up(error, followed)

        while self._runs:
            followed = list(self._runs.values())  # more may come while the database answers
            if are_partitioned(followed):
                groups = by_partition(followed)
                await asyncio.gather(*(in_partition(group, poll(group)) for group in groups))
            else:
                await poll(followed)
            await self._wait_for_next_poll()

    @asynccontextmanager
    async def _listening(self) -> AsyncIterator[None]:
        """Listen for notifications of the database about runs with news."""
        listening = asyncio.create_task(self._listen(), name="chatrecord listener")
        try:
            yield
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)

    async def _listen(self) -> None:
        while True:
            try:
                async with aclosing(self._store.notifications()) as notifications:
                    async for run_ids in notifications:
                        if run_ids is None or not self._runs.keys().isdisjoint(run_ids):
                            self._notified.set()
            except Exception as error:  # noqa: BLE001 - whatever it is, there are the looks
                log.warning("Listening for notifications failed: %s", type(error).__name__)
            await asyncio.sleep(self._patience)

    async def _wait_for_next_poll(self) -> None:
        """Until the next look is due, or there is news."""
        with suppress(TimeoutError):
            async with asyncio.timeout(POLL_SECONDS):
                await self._notified.wait()
        self._notified.clear()

    async def _poll(self, followed: Sequence[FollowedRun], repairer: Repairer) -> None:
        run_states = await self._run_states(followed, repairer)
        pieces = await self._pieces(followed)
        for run in followed:
            await run.update(
                run_states.get(run.id),
                [entry for message in run.positions for entry in pieces.get(message, ())],
            )
            if run.finished:
                del self._runs[run.id]

    async def _run_states(
        self, followed: Sequence[FollowedRun], repairer: Repairer
    ) -> Mapping[UUID, RunState]:
        ids = [followed.id for followed in followed]
        run_states = await self._store.run_states(ids)
        if any(_is_dead(state) for state in run_states.values()):
            await repairer.repair(chats=[followed.run.chat_id for followed in followed])
            run_states = await self._store.run_states(ids)
        return {run_id: state for run_id, state in run_states.items() if not _has_left(state)}

    async def _pieces(
        self, followed: Sequence[FollowedRun]
    ) -> Mapping[UUID, Sequence[JournalEntry]]:
        """What is new in the journal, of all messages that are streaming: one query for all."""
        positions = {message: seq for run in followed for message, seq in run.positions.items()}
        entries = await self._store.journal_since(positions) if positions else []
        return {message: list(of_it) for message, of_it in groupby(entries, _message_of)}

    def _give_up(self, error: Exception, runs: Sequence[FollowedRun] | None = None) -> None:
        """Tell the readers of these runs, or of all, that nothing more is read."""
        for followed in list(self._runs.values()) if runs is None else runs:
            followed.give_up(error)
            self._runs.pop(followed.id, None)


def _is_dead(state: RunState) -> bool:
    return state.status == "running" and state.has_expired


def _has_left(state: RunState) -> bool:
    """Whether this run is still queued although its process has died."""
    return state.status == "waiting" and state.has_expired


def _standing(messages: Sequence[Message], state: RunState) -> Sequence[Message]:
    """Without partial answers that were generated again, or will be.

    All of them where the run was withdrawn.
    """
    standing = [message for message in messages if message.status != "superseded"]
    if state.status in ("running", "queued"):
        return [message for message in standing if message.status not in ("interrupted", "failed")]
    return standing or messages


def _message_of(entry: JournalEntry) -> UUID:
    return entry.message_id


def _stages(call: ToolCall) -> tuple[ChunkKind, ...]:
    if call.status in ("pending", "awaiting_approval"):
        return ()
    return ("tool_call",) if call.status == "running" else ("tool_call", "tool_result")


def _reply_of(run: Run, answer: Message, rows: RunRows) -> Reply[object]:
    took = (answer.finished_at or answer.created_at) - run.started_at
    return Reply(
        text=answer.text,
        reasoning=answer.reasoning,
        output=answer.text,
        tool_calls=tuple(rows.tool_calls),
        usage=usage_of(rows.requests),
        latency_ms=took.total_seconds() * 1000,
        finish_reason=answer.finish_reason,
        message_id=answer.id,
        run_id=run.id,
    )
