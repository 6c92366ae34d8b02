"""The first transaction of a run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from chatrecord.errors import (
    AnsweredElsewhere,
    ApprovalPending,
    ChatBusy,
    ChatNotFound,
    DatabaseFailed,
    LeaseLost,
    RunInterrupted,
    RunStopped,
    SentBefore,
    error_from_text,
)
from chatrecord.records import Message, Run
from chatrecord.runs.repair import DIED_WAITING
from chatrecord.sqlalchemy.engine.one_call import NoPlan
from chatrecord.sqlalchemy.generics import Values
from chatrecord.sqlalchemy.sql.tables import MESSAGE_COLUMNS
from chatrecord.sqlalchemy.sql.together import Step
from chatrecord.store.rows import Begun, Replacement, RunStart
from chatrecord.store.times import mark_of

from .attachments import Files
from .rows import run_of, values_of
from .run_queue import StoredQueue
from .run_writes import insert_rows, inserted
from .transcripts import StoredTranscripts
from .usage_days import are_late, reopen_late

_QUEUED_WITH = {"id", "chat_id", "idempotency_key"}
"""What a queued run keeps when it begins."""

_OPENING = tuple(name for name in MESSAGE_COLUMNS if name != "seq")


class Beginnings(StoredQueue, StoredTranscripts):
    """What `chatrecord.store` says of beginning."""

    async def begin(self, start: RunStart) -> Begun:
        return await self._retried(lambda: self._begin_once(start))

    async def _begin_once(self, start: RunStart) -> Begun:
        """Begin, if it has not begun already by a transaction whose connection was lost over it."""
        try:
            return await self._begin(start)
        except AnsweredElsewhere:
            if await self._has_begun(start.run):
                return await self._begun(start)
            raise
        except DatabaseFailed as error:
            if not isinstance(error.__cause__, IntegrityError):
                raise
            if await self._has_begun(start.run):
                return await self._begun(start)
            raise await self._conflict_of(start.run) or _has_passed(error) from error

    async def _has_begun(self, run: Run) -> bool:
        found = await self.get_run(run.chat_id, run.id)
        mine = (run.owner, run.epoch, mark_of(run.lease_until), "running")
        return found is not None and mine == (
            found.owner,
            found.epoch,
            mark_of(found.lease_until),
            found.status,
        )

    async def _begin(self, start: RunStart) -> Begun:
        files: Files = {}
        if start.begins is None:  # whose files are kept since it was submitted
            start, files = self.attachments.of_start(start)
            await self.attachments.put_out(start.run.chat_id, files)
        is_new = start.begins is None and not start.queued
        is_plain = is_new and start.replaces is None and not are_late([start.request])
        if is_plain and not files:
            begun = await self._begin_together(start)
            if begun is not None:
                return begun
            with suppress(NoPlan):
                return await self._begin_in_a_batch(start)

        async def begin(connection: AsyncConnection) -> Begun:
            await self._open_run(connection, start, files)
            return await self._begun_on(connection, start)

        return await self.written_by(begin)

    async def _begin_together(self, start: RunStart) -> Begun | None:
        """Begin by one statement, then read the history, where that is possible."""
        found = await self.written_together(self._beginning(start))
        if found is None:
            return None
        if not found:
            raise _deleted(start.run.chat_id)
        seq = found[0].next_seq - len(start.opening)
        try:
            history = await self.history(
                start.run.chat_id, start.window, before=seq, with_summary=start.with_summary
            )
        except Exception:
            with suppress(DatabaseFailed):
                await self._undo(start)
            raise
        return Begun(seq=seq, history=history)

    async def _begin_in_a_batch(self, start: RunStart) -> Begun:
        """Begin by one message to the server, and read the history by another."""
        begun = await self.written_in_a_batch(
            self._batch(start), lambda on: self._begun_on(on, start)
        )
        if begun is None:
            raise _deleted(start.run.chat_id)
        return begun

    def _batch(self, start: RunStart) -> Iterator[Step]:
        sql, active = self._sql, self._sql.run.stored(_active(start.run))
        yield Step(sql.take_numbers, [_taken(start)])
        yield Step(sql.new_run.insert(*active), [active])
        yield Step(sql.insert_opening(*_OPENING), _numbered_opening(start))
        if sql.request is not None and start.request is not None:
            yield inserted(sql.request, [start.request])

    def _beginning(self, start: RunStart) -> Iterator[Step]:
        sql, active = self._sql, self._sql.run.stored(_active(start.run))
        yield Step(sql.take_and_read_numbers, [_taken(start)])
        yield Step(sql.new_run.insert(*active), [active], into=sql.new_run)
        opening = [
            {**values_of(message), "seq": behind}
            for behind, message in _behind_next_seq(start.opening)
        ]
        yield Step(sql.message.insert(*opening[0]), opening, into=sql.message, numbered=True)
        if sql.request is not None and start.request is not None:
            yield inserted(sql.request, [start.request])

    async def _undo(self, start: RunStart) -> None:
        """Remove a run that has begun, and whose history cannot be read."""
        rows = [(self._sql.message, message.id) for message in start.opening]
        if self._sql.request is not None and start.request is not None:
            rows.append((self._sql.request, start.request.id))
        async with self.transaction() as connection:
            for mapped, row_id in [*rows, (self._sql.run, start.run.id)]:
                await connection.execute(mapped.delete_one, {"row_id": row_id})

    async def _begun(self, start: RunStart) -> Begun:
        return await self.read_by(lambda on: self._begun_on(on, start))

    async def _begun_on(self, connection: AsyncConnection, start: RunStart) -> Begun:
        if start.replaces is not None:
            return await self._begun_in_place(connection, start, start.replaces)
        chat_id, opened = start.run.chat_id, len(start.opening)
        messages = await self._history(
            connection, chat_id, start.window, opened=opened, with_summary=start.with_summary
        )
        return Begun(seq=messages[-opened].seq, history=messages[:-opened])

    async def _begun_in_place(
        self, connection: AsyncConnection, start: RunStart, replaces: Replacement
    ) -> Begun:
        chat = {"chat_id": start.run.chat_id}
        next_seq: int = (await connection.execute(self._sql.next_seq, chat)).scalar_one()
        seq = next_seq - len(start.opening)
        question = replaces.first - (start.prompt is None)
        page = {**chat, "before": question + 1, "limit": 1}
        asked = (await connection.execute(self._sql.messages_before, page)).mappings().first()
        is_current = asked is not None and asked["status"] != "superseded"
        if seq != replaces.last + 1 or not is_current:
            msg = f"Chat {start.run.chat_id} has new messages: reload them and try again"
            raise ChatBusy(msg)
        history = await self._history(
            connection,
            start.run.chat_id,
            start.window,
            before=replaces.first,
            with_summary=start.with_summary,
        )
        return Begun(seq=seq, history=history)

    async def _open_run(self, connection: AsyncConnection, start: RunStart, files: Files) -> None:
        sql, run = self._sql, start.run
        # The chat's row is locked before any row that refers to it: MySQL deadlocks otherwise.
        if (await connection.execute(sql.take_numbers, _taken(start))).rowcount == 0:
            raise _deleted(run.chat_id)
        if start.queued:
            await connection.execute(sql.dequeue_run, {"row_id": run.id})
        if start.begins is not None:
            await self._begin_queued(connection, start.begins, run)
        else:
            active = sql.run.stored(_active(run))
            await connection.execute(sql.new_run.insert(*active), active)
        if start.queued or start.begins is not None:
            await self._check_turn(connection, run)
        await self.attachments.keep(connection, run.chat_id, files)
        await connection.execute(sql.insert_opening(*_OPENING), _numbered_opening(start))
        if sql.request is not None and start.request is not None:
            await reopen_late(sql, connection, [start.request])
            await insert_rows(connection, sql.request, [start.request])

    async def _begin_queued(self, connection: AsyncConnection, queued: Run, run: Run) -> None:
        values = {name: it for name, it in _active(run).items() if name not in _QUEUED_WITH}
        as_it_was = {"row_id": run.id, "of_status": queued.status, "of_epoch": queued.epoch}
        new = {f"new_{name}": value for name, value in values.items()}
        begun = await connection.execute(self._sql.begin_queued(*values), {**as_it_was, **new})
        if begun.rowcount == 0:
            msg = f"Run {run.id} is answered by another worker, or was stopped: follow it"
            raise AnsweredElsewhere(msg, run_id=run.id)

    async def _check_turn(self, connection: AsyncConnection, run: Run) -> None:
        """Raise if another run has waited longer.

        It is read after the run is written, since MySQL shows what is there at the first reading:
        the run before may only have ended while this one waited for its lock.
        """
        line = {"of_chat": run.chat_id, "now": run.started_at}
        first = (await connection.execute(self._sql.first_queued, line)).scalar()
        if first is not None and first < run.id:
            msg = f"Other runs of chat {run.chat_id} are queued first: {first}"
            raise ChatBusy(msg, run_id=first)

    async def _conflict_of(self, run: Run) -> Exception | None:
        return await self._own_conflict(run) or await self._conflict_with_others(run)

    async def _own_conflict(self, run: Run) -> Exception | None:
        """What has come of this run itself meanwhile."""
        own = await self.get_run(run.chat_id, run.id)
        is_ours = own is not None and own.owner == run.owner
        if own is not None and _was_queued(own) and is_ours:
            return error_from_text(own.error or DIED_WAITING, otherwise=RunInterrupted)
        if own is not None and not (_is_queued(own) or is_ours):
            msg = (
                f"Run {run.id} was started, but the confirmation was lost: it was ended by another "
                "process meanwhile"
            )
            return LeaseLost(msg)
        return None

    async def _conflict_with_others(self, run: Run) -> Exception | None:
        if run.idempotency_key is not None:
            key = {"chat_id": run.chat_id, "key": run.idempotency_key}
            sent = await self._read(self._sql.run_of_key, **key)
            if sent and await self._is_current(first := run_of(sent[0])) and first.id != run.id:
                msg = f"This was sent before, as run {first.id}: read its answer there"
                return SentBefore(msg, run_id=first.id)
        active = await self._read(self._sql.active, chat_id=run.chat_id)
        if active and active[0]["status"] == "parked":
            msg = (
                f"Chat {run.chat_id} waits for tool calls to be approved or denied: see "
                "chat.pending_approvals(), then chat.resume()"
            )
            return ApprovalPending(msg, run_id=active[0]["id"])
        if active:
            msg = f"Chat {run.chat_id} is busy: wait for run {active[0]['id']}"
            return ChatBusy(msg, run_id=active[0]["id"])
        if await self.get_chat(run.chat_id, {}) is None:
            return _deleted(run.chat_id)
        return None

    async def _is_current(self, run: Run) -> bool:
        """Whether this run counts: one that died while it waited never began.

        Its question is asked again now.
        """
        is_dead = await self._is_dead(run)
        if is_dead:
            await self.end_queued(run, DIED_WAITING)
        if is_dead or (_was_queued(run) and not _was_stopped(run)):
            await self._retried(
                lambda: self._changed(self._sql.forget_question, {"row_id": run.id})
            )
            return False
        return True

    async def _is_dead(self, run: Run) -> bool:
        if run.status != "waiting":
            return False
        state = (await self.run_states([run.id])).get(run.id)
        return state is not None and state.has_expired


def _is_queued(run: Run) -> bool:
    return run.status in ("waiting", "queued") or _was_queued(run)


def _was_queued(run: Run) -> bool:
    """Whether this run has ended before it began."""
    return run.status == "interrupted" and run.question is not None


def _was_stopped(run: Run) -> bool:
    error = error_from_text(run.error or "", otherwise=RunInterrupted)
    return isinstance(error, RunStopped)


def _has_passed(error: DatabaseFailed) -> DatabaseFailed:
    """The conflict is gone."""
    return DatabaseFailed(str(error), may_pass=True, undone=True)


def _deleted(chat_id: UUID) -> ChatNotFound:
    msg = (
        f"Chat {chat_id} was deleted, its transaction was rolled back, or a row-level policy hides "
        "it here"
    )
    return ChatNotFound(msg)


def _taken(start: RunStart) -> Values:
    """The numbers that a run takes of its chat."""
    return {
        "row_id": start.run.chat_id,
        "new_updated_at": start.run.started_at,
        "taken": len(start.opening),
    }


def _active(run: Run) -> Values:
    return {**values_of(run), "active_chat_id": run.chat_id, "stop_requested": False}


def _behind_next_seq(opening: Sequence[Message]) -> Iterator[tuple[int, Message]]:
    """The messages, each with how far its number is below the chat's next."""
    for place, message in enumerate(opening):
        yield len(opening) - place, message


def _numbered_opening(start: RunStart) -> list[Values]:
    """The messages it opens with, whose numbers the database tells."""
    opening = _behind_next_seq(start.opening)
    return [_numbered(message, behind=behind) for behind, message in opening]


def _numbered(message: Message, *, behind: int) -> Values:
    values = values_of(message)
    del values["seq"]
    return {**values, "behind": behind, "of_chat": message.chat_id}
