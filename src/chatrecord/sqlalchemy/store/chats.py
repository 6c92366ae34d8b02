"""Chats: created, listed, titled, moved and deleted."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import TypeAlias
from uuid import UUID

from sqlalchemy import Column
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from chatrecord.attachments.embedded_files import ChatFile
from chatrecord.chats.titles import patterns_of
from chatrecord.errors import ConfigurationError, DatabaseFailed
from chatrecord.records import ChatRecord, Message
from chatrecord.sqlalchemy.engine.connections import Connections
from chatrecord.sqlalchemy.engine.forks import keep_inherited
from chatrecord.sqlalchemy.generics import Values
from chatrecord.sqlalchemy.models.column_values import check_stored, check_value
from chatrecord.sqlalchemy.models.encryption import keys_of
from chatrecord.sqlalchemy.sql.deletion import (
    erase_chats,
    erase_idle_chats,
    erase_rows,
    idle_chats,
    in_use,
    runs_of,
    still_idle,
)
from chatrecord.sqlalchemy.sql.statements import Statements
from chatrecord.store.changes import StoredRow
from chatrecord.store.chat_store import Audit, Scope
from chatrecord.store.rows import GivenRow
from chatrecord.text.storable import escape

from .attachments import Files, Outside
from .chat_rows import changed_row, new_row, row_of
from .events import tell_of_deletion
from .rows import changed_values, chat_of, chat_values, own_columns
from .run_writes import insert_rows
from .title_search import found_by_reading
from .transfer import exists, insert_whole_chat, is_repeated, rows_of_chat
from .usage_days import reopen_days_of, reopen_late

ChatRow: TypeAlias = ChatRecord | StoredRow | ChatFile


_FEW = 100
"""Chats that are deleted in one transaction, where files are in a store of the user's."""


class _NotStill(Exception):
    """The stored rows are no longer those that were read."""


class _MoreOutside(Exception):
    """A store of the user's has, or may have, more of a chat than was dropped."""

    def __init__(self, outside: set[Outside]) -> None:
        super().__init__()
        self.outside = outside


class StoredChats(Connections):
    """What `chatrecord.store` says of chats."""

    def check_column(self, name: str, value: object) -> None:
        """Raise for a value that this column of a chat cannot hold, such as one of another type."""
        column = self._sql.chat.columns.get(name)
        if column is None or name not in self.chat_columns():
            columns = ", ".join(self.chat_columns()) or "none of its own"
            msg = f"A chat has no column {name!r}. There are: {columns}"
            raise TypeError(msg)
        check_value(name, column.type, value, self._engine.dialect)

    def chat_columns(self) -> Sequence[str]:
        return own_columns(list(self._sql.chat.columns))

    def row_of(self, chat: ChatRecord) -> object:
        return row_of(self._sql.chat.mapped_class, chat)

    def new_row(self, row: object) -> GivenRow:
        return new_row(self._sql.chat.mapped_class, row)

    def changed_row(self, chat: ChatRecord, row: object) -> GivenRow:
        return changed_row(self._sql.chat.mapped_class, chat, row)

    async def insert_chat(
        self, chat: ChatRecord, *, connection: object | None = None
    ) -> ChatRecord:
        if connection is not None:
            async with self.schema_explained():
                return await self._insert_chat(await connection_of(connection), chat)
        return await self._retried(lambda: self._insert_own_chat(chat), only_undone=True)

    async def _insert_own_chat(self, chat: ChatRecord) -> ChatRecord:
        async with self.transaction() as connection:
            return await self._insert_chat(connection, chat)

    async def _insert_chat(self, connection: AsyncConnection, chat: ChatRecord) -> ChatRecord:
        values = self._sql.chat.stored(chat_values(chat))
        await connection.execute(self._sql.chat.insert(*values), values)
        found = await connection.execute(self._sql.get_chat({}), {"chat_id": chat.id})
        stored = chat_of(found.mappings().one())
        check_stored(self._sql.chat.columns, chat.columns, stored.columns)
        return stored

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
            return await self._page(scope, limit, before, patterns_of(escape(search)))
        page, patterns = partial(self._page, scope), patterns_of(search)
        return await found_by_reading(page, patterns, limit, before)

    async def _page(
        self,
        scope: Scope,
        limit: int,
        before: tuple[datetime, UUID] | None,
        patterns: Sequence[str] = (),
    ) -> list[ChatRecord]:
        after_key = before is not None
        statement = self._sql.list_chats(scope, after_key=after_key, words=len(patterns))
        key = {} if before is None else {"updated_at": before[0], "id": before[1]}
        words = {f"word_{place}": pattern for place, pattern in enumerate(patterns)}
        return [chat_of(row) for row in await self._read(statement, limit=limit, **key, **words)]

    async def update_chat(
        self,
        chat_id: UUID,
        changes: Mapping[str, object],
        scope: Scope,
        *,
        only_untitled: bool = False,
    ) -> ChatRecord | None:
        """It may move the chat to another scope: where it is if the answer to COMMIT is lost."""
        self._check_none(changes)
        scopes = [scope]

        async def once() -> ChatRecord | None:
            try:
                return await self._update_chat(chat_id, changes, scopes, only_untitled)
            except DatabaseFailed as error:
                if not error.undone:
                    moved = {name: changes[name] for name in scope if name in changes}
                    scopes[1:] = [{**scope, **moved}]
                raise

        return await self._retried(once)

    def _check_none(self, changes: Mapping[str, object]) -> None:
        """Raise `TypeError` for a column that cannot be NULL."""
        for name in self.chat_columns():
            column = self._sql.chat.columns[name]
            is_required = isinstance(column, Column) and not column.nullable
            if is_required and name in changes and changes[name] is None:
                msg = f"{name}= cannot be None: its column is NOT NULL"
                raise TypeError(msg)

    async def _update_chat(
        self,
        chat_id: UUID,
        changes: Mapping[str, object],
        scopes: Sequence[Scope],
        only_untitled: bool,
    ) -> ChatRecord | None:
        values = changed_values(changes)
        named = {"row_id": chat_id, **{f"new_{name}": value for name, value in values.items()}}
        async with self.transaction() as connection:
            for scope in scopes:
                update = self._sql.update_chat(list(values), scope, only_untitled=only_untitled)
                if (await connection.execute(update, named)).rowcount:
                    found = await connection.execute(self._sql.get_chat({}), {"chat_id": chat_id})
                    stored = chat_of(found.mappings().one())
                    own = {name: it for name, it in changes.items() if name in stored.columns}
                    check_stored(self._sql.chat.columns, own, stored.columns)
                    if "agent" in changes:  # past days are added up by agent
                        await reopen_days_of(self._sql, connection, [chat_id])
                    return stored
        return None

    async def rewrite_chat(
        self,
        chat: ChatRecord,
        messages: Sequence[Message],
        still: Callable[[ChatRecord], bool],
    ) -> bool:
        files: Files = {}
        referring = [self.attachments.referring(message, files) for message in messages]
        await self.attachments.put_out(chat.id, files)
        return await self._retried(lambda: self._rewrite_chat(chat, referring, still, files))

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
                    await insert_rows(connection, self._sql.message, numbered)
                return True
        return False

    async def delete_chat(self, chat_id: UUID, scope: Scope, audit: Audit = "delete") -> bool:
        seen: set[UUID] = set()
        return await self._retried(lambda: self._delete_chat(chat_id, scope, audit, seen))

    async def _delete_chat(
        self, chat_id: UUID, scope: Scope, audit: Audit, seen: set[UUID]
    ) -> bool:
        """A store of the user's is emptied first, with no transaction open: it may be slow.

        The chat stays until nothing is left there, so that a deletion that fails can be repeated.
        One that is gone after it was `seen`, and the answer to a COMMIT was lost, is deleted.
        """
        chat = self._sql.get_chat(scope, hidden=None)
        if not await self._rows(chat, {"chat_id": chat_id}):
            return chat_id in seen
        outside, dropped = await self.attachments.outside(chat_id), set[Outside]()
        while True:
            await self.attachments.drop(key for key, _ in outside - dropped)
            dropped |= outside
            try:
                return await self._delete_rows(chat_id, scope, audit, dropped)
            except _MoreOutside as more:  # a file was added meanwhile
                outside = more.outside
            except DatabaseFailed as error:
                if not error.undone:
                    seen.add(chat_id)
                raise

    async def _delete_rows(
        self, chat_id: UUID, scope: Scope, audit: Audit, dropped: set[Outside]
    ) -> bool:
        async with self.long_transaction() as connection:
            # Locked, if the database locks rows: no run begins in between.
            chat = self._sql.get_chat(scope, hidden=None).with_for_update()
            if (await connection.execute(chat, {"chat_id": chat_id})).first() is None:
                return False
            await connection.execute(runs_of(self._sql), {"chat_ids": [chat_id]})
            await reopen_days_of(self._sql, connection, [chat_id])
            for statement in erase_rows(self._sql, audit):
                await connection.execute(statement, {"chat_ids": [chat_id]})
            outside = await self.attachments.erase(connection, [chat_id])
            if not outside <= dropped:
                raise _MoreOutside(outside)
            await connection.execute(erase_chats(self._sql), {"chat_ids": [chat_id]})
            await tell_of_deletion(self._sql, connection, [chat_id])
        self.histories.forget([chat_id])
        return True

    async def idle_chats(self, before: datetime, scope: Scope, *, limit: int) -> list[UUID]:
        statement = idle_chats(self._sql, scope)
        return [row["id"] for row in await self._read(statement, before=before, limit=limit)]

    async def erase_idle_chats(
        self, chat_ids: Sequence[UUID], before: datetime, audit: Audit
    ) -> int:
        # A store of the user's may be slow, and is emptied in the transaction.
        size = _FEW if self.attachments.are_outside else len(chat_ids)
        portions = [chat_ids[start : start + size] for start in range(0, len(chat_ids), size)]
        return sum([await self._erased(portion, before, audit) for portion in portions])

    async def _erased(self, chat_ids: Sequence[UUID], before: datetime, audit: Audit) -> int:
        return await self._retried(lambda: self._erase_idle_chats(chat_ids, before, audit))

    async def _erase_idle_chats(
        self, chat_ids: Sequence[UUID], before: datetime, audit: Audit
    ) -> int:
        sql: Statements = self._sql
        when: Values = {"before": before}
        async with self.long_transaction() as connection:
            these = {"chat_ids": list(chat_ids)}
            idle = set((await connection.execute(still_idle(sql), when | these)).scalars())
            await connection.execute(runs_of(sql), {"chat_ids": sorted(idle)})
            used = set((await connection.execute(in_use(sql), {"chat_ids": list(idle)})).scalars())
            these = {"chat_ids": sorted(idle - used)}
            await reopen_days_of(sql, connection, sorted(idle - used))
            for statement in erase_rows(sql, audit):
                await connection.execute(statement, these)
            outside = await self.attachments.erase(connection, sorted(idle - used))
            erased = await connection.execute(erase_idle_chats(sql), when | these)
            if erased.rowcount != len(idle - used):  # SQLite has locked none of them
                msg = "A chat that was to be deleted is in use again"
                raise DatabaseFailed(msg, may_pass=True, undone=True)
            await tell_of_deletion(sql, connection, sorted(idle - used))
            await self.attachments.drop(key for key, _ in outside)
        self.histories.forget(idle - used)
        return len(idle - used)

    def rows_of_chat(self, chat_id: UUID, scope: Scope) -> AsyncGenerator[ChatRow]:
        at_leisure = self.has_room_for_readers
        snapshot = self.snapshot_at_leisure if at_leisure else self.snapshot
        rows = rows_of_chat(self._sql, self.attachments, snapshot, chat_id, scope)
        return _of_this_process(rows) if at_leisure else _all_at_once(rows)

    async def insert_whole_chat(
        self, chat: ChatRecord, rows: Sequence[StoredRow | ChatFile]
    ) -> ChatRecord:
        records, files = self.attachments.arrived(
            [row for row in rows if not isinstance(row, ChatFile)],
            [row for row in rows if isinstance(row, ChatFile)],
        )
        if await self.get_chat(chat.id, {}) is not None:
            raise exists(chat.id)
        try:
            async with self.attachments.put_ahead(chat.id, files):
                return await self._retried(
                    lambda: self._insert_whole_chat(chat, [*records, *files]), only_undone=True
                )
        except DatabaseFailed as error:
            if is_repeated(error.__cause__):
                raise exists(chat.id) from error
            raise

    async def _insert_whole_chat(
        self, chat: ChatRecord, rows: Sequence[StoredRow | ChatFile]
    ) -> ChatRecord:
        async with self.long_transaction() as connection:
            await reopen_late(self._sql, connection, rows)
            return await insert_whole_chat(self._sql, self.attachments, connection, chat, rows)


async def _all_at_once(rows: AsyncGenerator[ChatRow]) -> AsyncGenerator[ChatRow]:
    """The same rows, with nothing open while the caller handles them."""
    for row in [row async for row in rows]:
        yield row


async def _of_this_process(rows: AsyncGenerator[ChatRow]) -> AsyncGenerator[ChatRow]:
    """The same rows; raises in a forked process, because the connection is the parent's."""
    process = os.getpid()
    try:
        async for row in rows:
            yield row
            if os.getpid() != process:
                msg = "This export belongs to the process that began it: export the chat again here"
                raise ConfigurationError(msg)
    finally:
        if os.getpid() == process:
            await rows.aclose()
        else:
            keep_inherited(rows)


async def connection_of(given: object) -> AsyncConnection:
    """The connection of the application's own transaction."""
    if isinstance(given, AsyncSession):
        return await given.connection()
    if isinstance(given, AsyncConnection):
        return given
    msg = f"connection= takes an AsyncConnection or an AsyncSession, not {type(given).__name__}"
    raise TypeError(msg)
