"""The store on SQLAlchemy: short transactions of our own, all statements from one place."""

from __future__ import annotations

import asyncio
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Callable,
    Collection,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from time import monotonic
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession
from sqlalchemy.pool import QueuePool

from chatrecord.attachment_stores import AttachmentStore
from chatrecord.attachments import Attachment
from chatrecord.budgets import Spending
from chatrecord.errors import (
    ApprovalPending,
    ChatBusy,
    ChatNotFound,
    ConfigurationError,
    DatabaseFailed,
    LeaseLost,
    NothingToResume,
    SentBefore,
)
from chatrecord.escape import escape
from chatrecord.files import ChatFile
from chatrecord.llm import Target
from chatrecord.records import ApiRequest, ChatRecord, Message, Run, ToolCall, ToolCallStatus, Usage
from chatrecord.reports import Span, UsageRow
from chatrecord.store import (
    LONGEST_KEY,
    PATIENCE,
    Audit,
    Beat,
    Begun,
    Changes,
    Claim,
    JournalEntry,
    Lease,
    Replacement,
    RunRecord,
    RunRows,
    RunsRows,
    RunStart,
    Scope,
)
from chatrecord.titles import pattern_of
from chatrecord.window import Window, begins_round

from .attachments import Attachments, Files
from .encryption import keys_of
from .erasing_statements import (
    erase_chats,
    erase_idle_chats,
    erase_rows,
    idle_chats,
    in_use,
    still_idle,
)
from .failures import failed, is_of_database
from .models import Models
from .persistence import PAUSES, persistently
from .report_statements import report, row_of
from .rows import (
    MESSAGE_COLUMNS,
    beat_of,
    chat_of,
    chat_values,
    entry_of,
    message_of,
    own_columns,
    request_of,
    run_of,
    tool_call_of,
    usage_of,
    values_of,
)
from .silence import bounded
from .snapshot import seeing_one_moment
from .statements import MappedTable, Statements, kept, not_kept
from .tidings import can_tell, payload, tidings
from .titles import found_by_reading
from .transfer import exists, insert_whole_chat, is_repeated, rows_of_chat
from .types import Key

_LARGEST_INSERT = 250_000
"""Characters of a journal that one statement inserts: a tenth of a packet, and ten bytes at most
for each of them, escaped and encrypted."""

_ANY_NUMBER = 1_000_000
_ANY_SEQ = 2**31 - 1
"""Above every message number."""

_OPENING = tuple(name for name in MESSAGE_COLUMNS if name != "seq")
_FIXED = {"id", "chat_id", "active_chat_id", "epoch", "owner", "idempotency_key", "lease_until"}
"""Columns of a run's rows that never change after the insert (the lease has its own statement)."""


class _NotStill(Exception):
    """What is stored is not what it was taken for."""


class SqlStore:
    """Implements `chatrecord.store.Store` for an engine and the classes of a `Models`."""

    def __init__(
        self,
        engine: AsyncEngine,
        models: Models,
        *,
        is_ours: bool,
        patience: timedelta = PATIENCE,
        attachments: AttachmentStore | None = None,
    ) -> None:
        self._engine = engine
        self._is_ours = is_ours
        self._patience = patience.total_seconds()
        self._turns = asyncio.Semaphore(_connections(engine))
        self._under_way = 0
        self._at_rest = asyncio.Event()
        self._sql = Statements(models)
        self.attachments = Attachments(self._sql, attachments, engine.dialect, self.transaction)
        self._loop: asyncio.AbstractEventLoop | None = None

    def check_column(self, name: str, value: object) -> None:
        """Raise for a value that not every database would take for this column of a chat."""
        if value is None or not isinstance(self._sql.chat.columns[name].type, Key):
            return
        if not isinstance(value, str):
            msg = f"{name}= takes text, not {type(value).__name__}: pass str({name})"
            raise TypeError(msg)
        if len(escape(value)) > LONGEST_KEY:
            msg = f"{name}= takes at most {LONGEST_KEY} characters"
            raise ValueError(msg)

    def chat_columns(self) -> Sequence[str]:
        return own_columns(list(self._sql.chat.columns))

    async def insert_chat(
        self, chat: ChatRecord, *, connection: object | None = None
    ) -> ChatRecord:
        if connection is not None:
            return await self._insert_chat(await _connection_of(connection), chat)
        async with self.transaction() as own:
            return await self._insert_chat(own, chat)

    async def _insert_chat(self, connection: AsyncConnection, chat: ChatRecord) -> ChatRecord:
        values = chat_values(chat)
        await connection.execute(self._sql.chat.insert(*values), values)
        found = await connection.execute(self._sql.get_chat({}), {"chat_id": chat.id})
        return chat_of(found.mappings().one())

    async def get_chat(self, chat_id: UUID, scope: Scope) -> ChatRecord | None:
        rows = await self._read(self._sql.get_chat(scope), chat_id=chat_id)
        return chat_of(rows[0]) if rows else None

    async def list_chats(
        self,
        *,
        limit: int,
        before: tuple[datetime, UUID] | None,
        scope: Scope,
        search: str | None = None,
    ) -> list[ChatRecord]:
        if search is None:
            return await self._page(scope, limit, before)
        if keys_of(self._engine.dialect) is None:
            return await self._page(scope, limit, before, pattern=pattern_of(escape(search)))
        return await found_by_reading(partial(self._page, scope), pattern_of(search), limit, before)

    async def _page(
        self, scope: Scope, limit: int, before: tuple[datetime, UUID] | None, **wanted: str
    ) -> list[ChatRecord]:
        by_title, after_key = "pattern" in wanted, before is not None
        statement = self._sql.list_chats(scope, after_key=after_key, by_title=by_title)
        key = {} if before is None else {"updated_at": before[0], "id": before[1]}
        return [chat_of(row) for row in await self._read(statement, limit=limit, **key, **wanted)]

    async def set_title(
        self, chat_id: UUID, title: str | None, *, over: Literal["any", "none"] = "any"
    ) -> bool:
        statement = self._sql.set_title if over == "any" else self._sql.set_first_title
        return await persistently(lambda: self._set_title(statement, chat_id, title))

    async def _set_title(self, statement: Update, chat_id: UUID, title: str | None) -> bool:
        named = {"row_id": chat_id, "new_title": title}
        async with self.transaction() as connection:
            return (await connection.execute(statement, named)).rowcount > 0

    async def rewrite_chat(
        self,
        chat: ChatRecord,
        messages: Sequence[Message],
        still: Callable[[ChatRecord], bool],
    ) -> bool:
        files: Files = {}
        referring = [self.attachments.referring(message, files) for message in messages]
        await self.attachments.put_out(chat.id, files)
        return await persistently(lambda: self._rewrite_chat(chat, referring, still, files))

    async def _rewrite_chat(
        self,
        chat: ChatRecord,
        messages: Sequence[Message],
        still: Callable[[ChatRecord], bool],
        files: Files,
    ) -> bool:
        touch = {"row_id": chat.id, "new_updated_at": chat.updated_at, "taken": len(messages)}
        with suppress(_NotStill):
            async with self.transaction() as connection:
                await connection.execute(self._sql.take_numbers, touch)  # which locks the row
                found = await connection.execute(self._sql.get_chat({}), {"chat_id": chat.id})
                row = found.mappings().one_or_none()
                if row is None or not still(chat_of(row)):
                    raise _NotStill
                first = row["next_seq"] - len(messages)
                values = {"row_id": chat.id, "new_metadata_": chat.metadata}
                await connection.execute(self._sql.chat.update("metadata_"), values)
                await self.attachments.keep(connection, chat.id, files)
                numbered = [replace(it, seq=first + n) for n, it in enumerate(messages)]
                if numbered:
                    await _insert(connection, self._sql.message, numbered)
                return True
        return False

    async def delete_chat(self, chat_id: UUID, scope: Scope, audit: Audit = "delete") -> bool:
        return await persistently(lambda: self._delete_chat(chat_id, scope, audit))

    async def _delete_chat(self, chat_id: UUID, scope: Scope, audit: Audit) -> bool:
        async with self.long_transaction() as connection:
            found = await connection.execute(self._sql.get_chat(scope), {"chat_id": chat_id})
            if found.first() is None:
                return False
            for statement in erase_rows(self._sql, audit):
                await connection.execute(statement, {"chat_ids": [chat_id]})
            outside = await self.attachments.erase(connection, [chat_id])
            await connection.execute(erase_chats(self._sql), {"chat_ids": [chat_id]})
            await self.attachments.drop(outside)
        return True

    async def idle_chats(self, before: datetime, scope: Scope, *, limit: int) -> list[UUID]:
        statement = idle_chats(self._sql, scope)
        return [row["id"] for row in await self._read(statement, before=before, limit=limit)]

    async def erase_idle_chats(
        self, chat_ids: Sequence[UUID], before: datetime, audit: Audit
    ) -> int:
        return await persistently(lambda: self._erase_idle_chats(chat_ids, before, audit))

    async def _erase_idle_chats(
        self, chat_ids: Sequence[UUID], before: datetime, audit: Audit
    ) -> int:
        sql: Statements = self._sql
        when: dict[str, Any] = {"before": before}
        async with self.long_transaction() as connection:
            these = {"chat_ids": list(chat_ids)}
            idle = set((await connection.execute(still_idle(sql), when | these)).scalars())
            used = set((await connection.execute(in_use(sql), {"chat_ids": list(idle)})).scalars())
            these = {"chat_ids": sorted(idle - used)}
            for statement in erase_rows(sql, audit):
                await connection.execute(statement, these)
            outside = await self.attachments.erase(connection, sorted(idle - used))
            erased = await connection.execute(erase_idle_chats(sql), when | these)
            if erased.rowcount != len(idle - used):  # SQLite has locked none of them
                msg = "A chat that was to be deleted has been used again meanwhile"
                raise DatabaseFailed(msg, may_pass=True)
            await self.attachments.drop(outside)
        return len(idle - used)

    def rows_of_chat(
        self, chat_id: UUID, scope: Scope
    ) -> AsyncGenerator[ChatRecord | RunRecord | JournalEntry | ChatFile]:
        return rows_of_chat(self._sql, self.attachments, self.snapshot, chat_id, scope)

    async def insert_whole_chat(
        self, chat: ChatRecord, rows: Sequence[RunRecord | JournalEntry]
    ) -> ChatRecord:
        try:
            async with self.long_transaction() as connection:
                return await insert_whole_chat(self._sql, self.attachments, connection, chat, rows)
        except DatabaseFailed as error:
            if is_repeated(error.__cause__):
                raise exists(chat.id) from error
            raise

    async def begin(self, start: RunStart) -> Begun:
        began = monotonic()
        for pause in (*PAUSES, None):
            try:
                return await self._begin_once(start)
            except DatabaseFailed as error:
                over = pause is None or monotonic() - began >= self._patience
                if over or not error.may_pass:
                    raise
            await asyncio.sleep(pause or 0)
        raise AssertionError

    async def _begin_once(self, start: RunStart) -> Begun:
        """Begin, if it has not begun already by a transaction whose connection was lost over it."""
        try:
            return await self._begin(start)
        except DatabaseFailed as error:
            if not isinstance(error.__cause__, IntegrityError):
                raise
            if await self._has_begun(start.run):
                return await self._begun(start)
            raise await self._why_not(start.run) or _has_passed(error) from error

    async def _has_begun(self, run: Run) -> bool:
        found = await self.get_run(run.chat_id, run.id)
        return found is not None and (found.owner, found.status) == (run.owner, "running")

    async def _begin(self, start: RunStart) -> Begun:
        start, files = self.attachments.of_start(start)
        await self.attachments.put_out(start.run.chat_id, files)
        async with self.transaction() as connection:
            await self._open_run(connection, start, files)
            return await self._begun_on(connection, start)

    async def _begun(self, start: RunStart) -> Begun:
        async with self.transaction() as connection:
            return await self._begun_on(connection, start)

    async def _begun_on(self, connection: AsyncConnection, start: RunStart) -> Begun:
        if start.replaces is not None:
            return await self._begun_in_place(connection, start, start.replaces)
        chat_id, opened = start.run.chat_id, len(start.opening)
        messages = await self._history(
            connection, chat_id, start.window, opened=opened, with_summary=start.with_summary
        )
        opening = [message for message in messages if message.run_id == start.run.id]
        history = [message for message in messages if message.run_id != start.run.id]
        return Begun(seq=opening[0].seq, history=history)

    async def _begun_in_place(
        self, connection: AsyncConnection, start: RunStart, replaces: Replacement
    ) -> Begun:
        chat = {"chat_id": start.run.chat_id}
        next_seq: int = (await connection.execute(self._sql.next_seq, chat)).scalar_one()
        seq = next_seq - len(start.opening)
        if seq != replaces.last + 1:
            msg = f"Chat {start.run.chat_id} has gone on meanwhile: look again, then replace"
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
        taken = len(start.opening)
        touch = {"row_id": run.chat_id, "new_updated_at": run.started_at, "taken": taken}
        # The chat's row is locked before any row that refers to it: MySQL deadlocks otherwise.
        if (await connection.execute(sql.take_numbers, touch)).rowcount == 0:
            raise _deleted(run.chat_id)
        if start.in_line:
            await connection.execute(sql.leave_line, {"row_id": run.id})
        active = {**values_of(run), "active_chat_id": run.chat_id, "stop_requested": False}
        await connection.execute(sql.run.insert(*active), active)
        if start.in_line:
            await self._check_turn(connection, run)
        await self.attachments.keep(connection, run.chat_id, files)
        opening = [
            _numbered(message, behind=taken - place) for place, message in enumerate(start.opening)
        ]
        await connection.execute(sql.insert_opening(*_OPENING), opening)
        if sql.request is not None and start.request is not None:
            await _insert(connection, sql.request, [start.request])

    async def _check_turn(self, connection: AsyncConnection, run: Run) -> None:
        """Raise where somebody has waited for longer.

        It is read after the run is written, since MySQL shows what is there at the first reading:
        the run before may only have ended while this one waited for its lock.
        """
        line = {"of_chat": run.chat_id, "now": run.started_at}
        first = (await connection.execute(self._sql.first_in_line, line)).scalar()
        if first is not None and first < run.id:
            msg = f"Chat {run.chat_id} has others waiting: run {first} is the first of them"
            raise ChatBusy(msg, run_id=first)

    async def stand_in_line(self, run: Run) -> None:
        try:
            await persistently(lambda: self._stand_in_line(run))
        except DatabaseFailed as error:
            if isinstance(error.__cause__, IntegrityError):
                raise await self._why_not(run) or error from error
            raise

    async def _stand_in_line(self, run: Run) -> None:
        place = {"row_id": run.id, "new_lease_until": run.lease_until}
        line = {"of_chat": run.chat_id, "now": run.started_at}
        row = {**values_of(run), "active_chat_id": None, "stop_requested": False}
        async with self.transaction() as connection:
            if (await connection.execute(self._sql.keep_place, place)).rowcount == 0:
                await connection.execute(self._sql.clear_line, line)
                await connection.execute(self._sql.run.insert(*row), row)

    async def leave_line(self, run: Run) -> None:
        await persistently(lambda: self._leave_line(run))

    async def _leave_line(self, run: Run) -> None:
        async with self.transaction() as connection:
            await connection.execute(self._sql.leave_line, {"row_id": run.id})

    async def _why_not(self, run: Run) -> Exception | None:
        if run.idempotency_key is not None:
            key = {"chat_id": run.chat_id, "key": run.idempotency_key}
            sent = await self._read(self._sql.run_of_key, **key)
            if sent and await self._stands(first := run_of(sent[0])) and first.id != run.id:
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
            msg = f"Chat {run.chat_id} is answering already: wait for run {active[0]['id']} to end"
            return ChatBusy(msg, run_id=active[0]["id"])
        if await self.get_chat(run.chat_id, {}) is None:
            return _deleted(run.chat_id)
        return None

    async def _stands(self, run: Run) -> bool:
        """Whether this run counts: one that died while it waited never began."""
        if run.status != "waiting" or run.lease_until >= datetime.now(UTC):
            return True
        await self.leave_line(run)
        return False

    async def history(
        self, chat_id: UUID, window: Window, *, before: int, with_summary: bool = False
    ) -> list[Message]:
        async with self.transaction() as connection:
            return await self._history(
                connection, chat_id, window, before=before, with_summary=with_summary
            )

    async def summaries(self, chat_id: UUID) -> list[Message]:
        return [message_of(row) for row in await self._read(self._sql.summaries, chat_id=chat_id)]

    async def _history(
        self,
        connection: AsyncConnection,
        chat_id: UUID,
        window: Window,
        *,
        before: int = _ANY_SEQ,
        opened: int = 0,
        with_summary: bool = False,
    ) -> list[Message]:
        """What counts below a number, from the start of a round, and what was just opened."""
        summary: list[Message] = []
        if with_summary:
            last = {"chat_id": chat_id, "before": before}
            summary = _oldest_first(await connection.execute(self._sql.last_summary, last))
        after = -summary[0].seq if summary else -1
        found = await self._between(connection, chat_id, window, (after, before), opened=opened)
        return [*summary, *found]

    async def _between(
        self,
        connection: AsyncConnection,
        chat_id: UUID,
        window: Window,
        numbers: tuple[int, int],
        *,
        opened: int,
    ) -> list[Message]:
        after, before = numbers
        limit = window.messages + opened
        page = {"chat_id": chat_id, "limit": limit, "before": before, "after": after}
        messages = _oldest_first(await connection.execute(self._sql.history_before, page))
        older = messages[: len(messages) - opened]
        if len(messages) < limit or any(begins_round(message) for message in older):
            return messages
        earlier = {"chat_id": chat_id, "before": messages[0].seq}
        first = (await connection.execute(self._sql.round_start, earlier)).scalar()
        whole_round = {"chat_id": chat_id, "first": max(first or 0, after + 1), "before": before}
        return _oldest_first(await connection.execute(self._sql.history_from, whole_round))

    async def write(self, changes: Changes) -> None:
        changes, files = self.attachments.of_changes(changes)
        await self.attachments.put_out(changes.chat_id, files)
        async with self.transaction() as connection:
            changed = dict(changes.changed)
            if changes.lease is not None:
                await self._hold(connection, changes.lease, changed.pop(changes.lease.run_id, None))
            await self.attachments.keep(connection, changes.chat_id, files)
            for mapped, records in self._by_table(changes.new.values()):
                await _insert(connection, mapped, records)
            for mapped, records in self._by_table(changed.values()):
                await _update(connection, mapped, records)
            if changes.superseded is not None:
                first, below = changes.superseded
                replaced = {"of_chat": changes.chat_id, "first": first, "below": below}
                await connection.execute(self._sql.supersede, replaced)
            await self._clear(connection, changes)
            if changes.next_seq is not None:
                numbers = {"row_id": changes.chat_id, "new_next_seq": changes.next_seq}
                await connection.execute(self._sql.set_next_seq, numbers)

    async def end_asides(self, since: datetime, before: datetime, why: str) -> int:
        if self._sql.request is None:
            return 0
        ending = {"since": since, "before": before, "new_error": why}
        async with self.transaction() as connection:
            return (await connection.execute(self._sql.end_asides, ending)).rowcount

    async def _hold(self, connection: AsyncConnection, lease: Lease, run: RunRecord | None) -> None:
        """Lock the run, and write what has changed of it, or find that it is somebody else's."""
        held = {"run_ids": [lease.run_id], "of_owner": lease.owner, "new_lease_until": lease.until}
        statement = self._sql.renew_leases
        if run is not None:
            values = _changed(run)
            del values["row_id"]
            held |= values
            names = [name.removeprefix("new_") for name in values]
            if can_tell(connection.dialect):
                held["tidings"] = payload([lease.run_id])
                statement = self._sql.renew_leases_with_and_tell(*names)
            else:
                statement = self._sql.renew_leases_with(*names)
        if (await connection.execute(statement, held)).rowcount == 0:
            msg = f"Run {lease.run_id} was taken over by another process, or its chat was deleted"
            raise LeaseLost(msg)

    async def _clear(self, connection: AsyncConnection, changes: Changes) -> None:
        if changes.journaled:
            whole = [{"of_message": message_id} for message_id in changes.journaled]
            await connection.execute(self._sql.empty_journal, whole)
        if changes.never_sent and self._sql.request is not None:
            unsent = [{"row_id": request_id} for request_id in changes.never_sent]
            await connection.execute(self._sql.request.delete_one, unsent)

    def _by_table(
        self, records: Iterable[RunRecord]
    ) -> Iterable[tuple[MappedTable, list[RunRecord]]]:
        sql, groups = self._sql, list(records)
        for kind, mapped in (
            (Message, sql.message),
            (ToolCall, sql.tool_call),
            (ApiRequest, sql.request),
            (Run, sql.run),
        ):
            rows = [record for record in groups if isinstance(record, kind)]
            if rows and mapped is not None:
                yield mapped, rows

    async def admit(
        self, request: ApiRequest, lease: Lease | None, claims: Sequence[Claim]
    ) -> bool:
        return await persistently(lambda: self._admit(request, lease, claims))

    async def _admit(
        self, request: ApiRequest, lease: Lease | None, claims: Sequence[Claim]
    ) -> bool:
        requests = kept(self._sql.request, "Requests", "request")
        async with self.transaction() as connection:
            if lease is not None:
                await self._hold(connection, lease, None)
            for claim in claims:
                if not claim.admits(await self._spending(connection, request, claim)):
                    return False
            # By an earlier try, whose connection was lost over its commit, it may be there already.
            await connection.execute(requests.delete_one, {"row_id": request.id})
            await _insert(connection, requests, [request])
        return True

    async def _spending(
        self, connection: AsyncConnection, request: ApiRequest, claim: Claim
    ) -> Spending:
        """What this owner has spent. Whoever else asks that waits for the end of this."""
        sql, whose = self._sql, None
        if claim.by is not None:
            owner = sql.owner(claim.by), {"chat_id": request.chat_id}
            whose = (await connection.execute(*owner)).scalar_one()
        await connection.execute(sql.lock_owner(claim.by, whose))
        # In this order: what ends in between is counted twice then, and never missed.
        others = {"now": datetime.now(UTC), "but_of_run": request.run_id or request.id}
        under_way = (await connection.execute(sql.under_way(claim.by, whose), others)).all()
        used = await connection.execute(sql.spent(claim.by, whose, claim.since))
        return Spending(
            whose,
            usage_of(used.mappings().one()),
            [Target(model, provider, streamed=True) for model, provider in under_way],
        )

    async def tick(
        self, news: Mapping[UUID, Sequence[JournalEntry]], owner: str, until: datetime
    ) -> Mapping[UUID, bool]:
        run_ids = sorted(news)  # everybody locks in the same order
        leases = {"run_ids": run_ids, "of_owner": owner, "new_lease_until": until}
        told = [run_id for run_id in run_ids if news[run_id]]
        # It takes no turn: the leases of whoever waits for one hang on it.
        async with bounded(self._patience), self.long_transaction() as connection:
            kept = await self._renewed(connection, leases, told)
            for entries in _portions(entry for run_id in kept for entry in news[run_id]):
                await connection.execute(self._sql.append_journal, entries)
        return kept

    async def _renewed(
        self, connection: AsyncConnection, leases: dict[str, Any], told: Sequence[UUID]
    ) -> dict[UUID, bool]:
        if told and can_tell(connection.dialect):
            leases["tidings"] = payload(told)
            found = await connection.execute(self._sql.renew_read_and_tell_leases, leases)
        elif connection.dialect.update_returning:
            found = await connection.execute(self._sql.renew_and_read_leases, leases)
        else:
            await connection.execute(self._sql.renew_leases, leases)
            del leases["new_lease_until"]
            found = await connection.execute(self._sql.read_leases, leases)
        return {row[0]: bool(row[1]) for row in found.all()}

    async def active_run(self, chat_id: UUID) -> Run | None:
        rows = await self._read(self._sql.active, chat_id=chat_id)
        return run_of(rows[0]) if rows else None

    async def expired_runs(
        self, now: datetime, *, chats: Sequence[UUID] | None, limit: int
    ) -> list[Run]:
        page = {"now": now, "limit": limit}
        if chats is not None:
            statement = self._sql.expired(of_chats=True)
            rows = await self._read(statement, chat_ids=list(chats), **page)
        else:
            rows = await self._read(self._sql.expired(of_chats=False), **page)
            rows += await self._read(self._sql.expired_in_line, **page)
        return [run_of(row) for row in rows]

    async def claim(self, run: Run, *, owner: str, now: datetime, until: datetime) -> Run | None:
        taking = {
            "row_id": run.id,
            "of_epoch": run.epoch,
            "now": now,
            "new_owner": owner,
            "new_lease_until": until,
        }
        async with self.transaction() as connection:
            if (await connection.execute(self._sql.claim, taking)).rowcount == 0:
                return None
        return replace(run, owner=owner, epoch=run.epoch + 1, lease_until=until)

    async def beats(self, run_ids: Sequence[UUID]) -> Mapping[UUID, Beat]:
        rows = await self._read(self._sql.beats, run_ids=list(run_ids))
        return {row["id"]: beat_of(row) for row in rows}

    async def get_run(self, chat_id: UUID, run_id: UUID) -> Run | None:
        rows = await self._read(self._sql.get_run, chat_id=chat_id, run_id=run_id)
        return run_of(rows[0]) if rows else None

    async def reopen(self, run: Run, *, owner: str, until: datetime) -> Run | None:
        taking = {
            "row_id": run.id,
            "of_epoch": run.epoch,
            "of_status": run.status,
            "new_owner": owner,
            "new_lease_until": until,
        }
        try:
            async with self.transaction() as connection:
                if (await connection.execute(self._sql.reopen, taking)).rowcount == 0:
                    return None
                if run.status != "parked":  # which has held its chat
                    await self._check_is_last(connection, run)
        except DatabaseFailed as error:
            if isinstance(error.__cause__, IntegrityError):
                return None  # another run of the chat is active by now
            raise
        return replace(
            run,
            status="running",
            owner=owner,
            epoch=run.epoch + 1,
            lease_until=until,
            error=None,
            finished_at=None,
        )

    async def _check_is_last(self, connection: AsyncConnection, run: Run) -> None:
        """Raise where the chat has gone on since: its next numbers are taken."""
        chat = {"chat_id": run.chat_id}
        last = (await connection.execute(self._sql.last_run_id, chat)).scalar()
        if last != run.id:
            msg = f"Chat {run.chat_id} has gone on since run {run.id}: there is nothing to resume"
            raise NothingToResume(msg)

    async def decide(
        self, chat_id: UUID, call_id: str, *, status: ToolCallStatus, error: str | None
    ) -> bool:
        if self._sql.decide is None:
            msg = "Tool calls"
            raise not_kept(msg, "tool_call")
        decision = {
            "of_chat": chat_id,
            "of_call": call_id,
            "new_status": status,
            "new_error": error,
        }
        async with self.transaction() as connection:
            return (await connection.execute(self._sql.decide, decision)).rowcount > 0

    async def rows_of(self, run: Run, *, with_journal: bool = True) -> RunRows:
        sql, key = self._sql, {"run_id": run.id, "chat_id": run.chat_id}
        async with self.transaction() as connection:

            async def rows(statement: Any) -> Sequence[Any]:
                return (await connection.execute(statement, key)).mappings().all()

            # What is written last is read last: a message is never ahead of the calls before it.
            messages = await rows(sql.messages_of_run)
            tool_calls = await rows(sql.of_run(sql.tool_call)) if sql.tool_call else []
            requests = await rows(sql.of_run(sql.request)) if sql.request else []
            journal = await rows(sql.journal_of_run) if with_journal else []
        return RunRows(
            messages=[message_of(row) for row in messages],
            tool_calls=await self.attachments.whole_calls(
                [tool_call_of(row) for row in tool_calls]
            ),
            requests=[request_of(row) for row in requests],
            journal=[entry_of(row) for row in journal],
        )

    async def rows_of_runs(self, chat_id: UUID, run_ids: Collection[UUID]) -> RunsRows:
        if not run_ids:
            return RunsRows((), (), ())
        sql, key = self._sql, {"chat_id": chat_id, "run_ids": list(run_ids)}
        oldest = {**key, "oldest": min(run_ids)}
        calls = await self._read(sql.of_runs(sql.tool_call), **oldest) if sql.tool_call else []
        requests = await self._read(sql.of_runs(sql.request), **oldest) if sql.request else []
        return RunsRows(
            runs=[run_of(row) for row in await self._read(sql.some_runs, **key)],
            tool_calls=[tool_call_of(row) for row in calls],
            requests=[request_of(row) for row in requests],
        )

    async def run_of_key(self, chat_id: UUID, key: str) -> Run | None:
        rows = await self._read(self._sql.run_of_key, chat_id=chat_id, key=key)
        return run_of(rows[0]) if rows else None

    async def request_stop(self, run_id: UUID) -> bool:
        async with self.transaction() as connection:
            asked = await connection.execute(self._sql.request_stop, {"row_id": run_id})
        return asked.rowcount > 0

    async def journal(self, message_id: UUID, *, after: int) -> list[JournalEntry]:
        rows = await self._read(self._sql.journal, message_id=message_id, after=after)
        return [entry_of(row) for row in rows]

    async def journal_since(self, marks: Mapping[UUID, int]) -> list[JournalEntry]:
        statement, ordered = self._sql.journal_since(len(marks)), sorted(marks.items())
        keys = {
            name: value
            for place, (message_id, after) in enumerate(ordered)
            for name, value in ((f"message_{place}", message_id), (f"after_{place}", after))
        }
        return [entry_of(row) for row in await self._read(statement, **keys)]

    def tidings(self) -> AsyncGenerator[Collection[UUID] | None]:
        return tidings(self._engine)

    async def with_files(self, messages: Sequence[Message]) -> list[Message]:
        return await self.attachments.whole(messages)

    async def attachment(self, chat_id: UUID, file_hash: str) -> Attachment | None:
        return await self.attachments.get(chat_id, file_hash)

    async def get_message(self, chat_id: UUID, message_id: UUID) -> Message | None:
        key = {"chat_id": chat_id, "message_id": message_id}
        rows = await self._read(self._sql.get_message, **key)
        return message_of(rows[0]) if rows else None

    async def first_messages(self, chat_id: UUID, *, limit: int) -> list[Message]:
        rows = await self._read(self._sql.first_messages, chat_id=chat_id, limit=limit)
        return [message_of(row) for row in rows]

    async def last_prompt(self, chat_id: UUID) -> Message | None:
        rows = await self._read(self._sql.last_prompt, chat_id=chat_id, limit=1)
        return message_of(rows[0]) if rows else None

    async def messages(self, chat_id: UUID, *, limit: int, before: int | None) -> list[Message]:
        if before is None:
            rows = await self._read(self._sql.last_messages, chat_id=chat_id, limit=limit)
        else:
            page = {"chat_id": chat_id, "limit": limit, "before": before}
            rows = await self._read(self._sql.messages_before, **page)
        return [message_of(row) for row in reversed(rows)]

    async def tool_calls(self, chat_id: UUID) -> list[ToolCall]:
        mapped = kept(self._sql.tool_call, "Tool calls", "tool_call")
        rows = await self._read(self._sql.all_of(mapped), chat_id=chat_id)
        return await self.attachments.whole_calls([tool_call_of(row) for row in rows])

    async def requests(self, chat_id: UUID) -> list[ApiRequest]:
        mapped = kept(self._sql.request, "Requests", "request")
        return [
            request_of(row) for row in await self._read(self._sql.all_of(mapped), chat_id=chat_id)
        ]

    async def usage(self, chat_id: UUID) -> Usage:
        return usage_of((await self._read(self._sql.usage, chat_id=chat_id))[0])

    async def report(self, by: Sequence[str], span: Span, scope: Scope) -> list[UsageRow]:
        statement = report(self._sql, self._engine.dialect, by, span, scope)
        async with self.long_transaction() as connection:
            found = await connection.execute(statement)
            return [row_of(row, by) for row in found.mappings()]

    async def close(self) -> None:
        if self._is_ours:
            with suppress(DatabaseFailed):  # connections to a server that does not say goodbye
                async with bounded(self._patience):
                    await self._rest()
                    await self._engine.dispose()

    async def _rest(self) -> None:
        """Wait for what is under way, such as in a task that was cancelled and not awaited.

        Its connection would stay open for ever: the pool knows only of those it has.
        """
        while self._under_way:
            self._at_rest.clear()
            await self._at_rest.wait()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """A short transaction. Its errors are `DatabaseFailed`, and so is a long silence.

        Who waits for another of ours to give its connection back waits as long as that takes.
        """
        async with self._turns, bounded(self._patience), self.long_transaction() as connection:
            yield connection

    @asynccontextmanager
    async def long_transaction(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that may take its time. Its errors are `DatabaseFailed`."""
        self._stay_in_one_loop()
        self._under_way += 1
        try:
            async with self._engine.begin() as connection:
                yield connection
        except Exception as error:
            if not is_of_database(error):
                raise
            raise failed(error) from error
        finally:
            self._under_way -= 1
            self._at_rest.set()

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that sees all as of one moment, for as long as it takes to read it."""
        self._stay_in_one_loop()
        try:
            async with seeing_one_moment(self._engine) as connection:
                yield connection
        except Exception as error:
            if not is_of_database(error):
                raise
            raise failed(error) from error

    def _stay_in_one_loop(self) -> None:
        """Connections and live runs belong to the event loop they were made in."""
        loop = asyncio.get_running_loop()
        if self._loop is None:
            self._loop = loop
        if self._loop is not loop:
            msg = (
                "This Database was used in another event loop before: make one Database for each "
                "asyncio.run(), or use chatrecord.sqlalchemy.sync from plain code"
            )
            raise ConfigurationError(msg)

    async def _read(self, statement: Any, **parameters: object) -> list[dict[str, Any]]:
        """The rows of a statement, which is read again where the connection was lost."""
        try:
            return await self._rows(statement, parameters)
        except DatabaseFailed as error:
            if not error.may_pass:
                raise
        return await self._rows(statement, parameters)

    async def _rows(self, statement: Any, parameters: dict[str, object]) -> list[dict[str, Any]]:
        async with self.transaction() as connection:
            found = await connection.execute(statement, parameters)
            return [dict(row) for row in found.mappings()]


async def _insert(
    connection: AsyncConnection, mapped: MappedTable, records: Sequence[RunRecord]
) -> None:
    rows = [values_of(record) for record in records]
    await connection.execute(mapped.insert(*rows[0]), rows)


async def _update(
    connection: AsyncConnection, mapped: MappedTable, records: Sequence[RunRecord]
) -> None:
    rows = [_changed(record) for record in records]
    names = [name.removeprefix("new_") for name in rows[0] if name != "row_id"]
    await connection.execute(mapped.update(*names), rows)


def _portions(entries: Iterable[JournalEntry]) -> Iterator[list[dict[str, Any]]]:
    """The rows of these entries, as many at a time as any server takes in one packet."""
    portion, size = list[dict[str, Any]](), 0
    for entry in entries:
        said = len(entry.piece[1])
        if portion and size + said > _LARGEST_INSERT:
            yield portion
            portion, size = [], 0
        portion.append(values_of(entry))
        size += said
    if portion:
        yield portion


def _changed(record: RunRecord) -> dict[str, Any]:
    values = values_of(record)
    changed = {f"new_{name}": value for name, value in values.items() if name not in _FIXED}
    if isinstance(record, Run):
        still_active = record.chat_id if record.status in ("running", "parked") else None
        changed["new_active_chat_id"] = still_active
    return {"row_id": record.id, **changed}


def _connections(engine: AsyncEngine) -> int:
    """How many of our transactions may be under way, with one connection left for the journal."""
    pool = engine.pool
    if not isinstance(pool, QueuePool) or pool._max_overflow < 0:
        return _ANY_NUMBER
    return max(1, pool.size() + pool._max_overflow - 1)


def _has_passed(error: DatabaseFailed) -> DatabaseFailed:
    """What stood in the way is not there any more."""
    return DatabaseFailed(str(error), may_pass=True)


def _deleted(chat_id: UUID) -> ChatNotFound:
    return ChatNotFound(f"There is no chat {chat_id} any more, or its transaction was rolled back")


def _numbered(message: Message, *, behind: int) -> dict[str, Any]:
    values = values_of(message)
    del values["seq"]
    return {**values, "behind": behind, "of_chat": message.chat_id}


def _oldest_first(found: Any) -> list[Message]:
    return [message_of(row) for row in reversed(found.mappings().all())]


async def _connection_of(given: object) -> AsyncConnection:
    if isinstance(given, AsyncSession):
        return await given.connection()
    if isinstance(given, AsyncConnection):
        return given
    msg = f"connection= takes an AsyncConnection or an AsyncSession, not {type(given).__name__}"
    raise TypeError(msg)
