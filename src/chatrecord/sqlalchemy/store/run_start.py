"""The first transaction of a run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from chatrecord.errors import (
    AnsweredElsewhere,
    ChatBusy,
    DatabaseFailed,
)
from chatrecord.records import Message, Run
from chatrecord.sqlalchemy.engine.one_call import NoPlan
from chatrecord.sqlalchemy.generics import Values
from chatrecord.sqlalchemy.sql.tables import MESSAGE_COLUMNS
from chatrecord.sqlalchemy.sql.together import Step
from chatrecord.store.rows import Begun, Replacement, RunStart
from chatrecord.store.times import mark_of

from .attachments import Files
from .conflicts import deleted
from .rows import values_of
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

        async def read(connection: AsyncConnection, found: Sequence[Any]) -> list[Message]:
            return await self._history(
                connection,
                start.run.chat_id,
                start.window,
                before=_first_number(found, start),
                with_summary=start.with_summary,
            )

        found, history = await self.written_together(self._beginning(start), read)
        if found is None:
            return None
        if not found:
            raise deleted(start.run.chat_id)
        seq = _first_number(found, start)
        if history is None:
            history = await self._history_or_undone(start, before=seq)
        return Begun(seq=seq, history=history)

    async def _history_or_undone(self, start: RunStart, *, before: int) -> list[Message]:
        try:
            return await self.history(
                start.run.chat_id, start.window, before=before, with_summary=start.with_summary
            )
        except Exception:
            with suppress(DatabaseFailed):
                await self._undo(start)
            raise

    async def _begin_in_a_batch(self, start: RunStart) -> Begun:
        """Begin by one message to the server, and read the history by another."""
        begun = await self.written_in_a_batch(
            self._batch(start), lambda on: self._begun_on(on, start)
        )
        if begun is None:
            raise deleted(start.run.chat_id)
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
            raise deleted(run.chat_id)
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


def _has_passed(error: DatabaseFailed) -> DatabaseFailed:
    """The conflict is gone."""
    return DatabaseFailed(str(error), may_pass=True, undone=True)


def _taken(start: RunStart) -> Values:
    """The numbers that a run takes of its chat."""
    return {
        "row_id": start.run.chat_id,
        "new_updated_at": start.run.started_at,
        "taken": len(start.opening),
    }


def _first_number(numbers: Sequence[Any], start: RunStart) -> int:
    """The number of the first message, by what `take_and_read_numbers` returns."""
    return int(numbers[0].next_seq) - len(start.opening)


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
