"""Whole chats: read as of one moment, written in one transaction."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from itertools import groupby
from typing import TypeAlias
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from chatrecord.attachments.embedded_files import ChatFile
from chatrecord.errors import ChatExists
from chatrecord.feedback import Feedback
from chatrecord.records import ApiRequest, ChatRecord, Message, Run, ToolCall
from chatrecord.sqlalchemy.generics import Query, Row, Values
from chatrecord.sqlalchemy.models.column_values import check_stored
from chatrecord.sqlalchemy.sql.statements import Statements
from chatrecord.sqlalchemy.sql.tables import MappedTable
from chatrecord.store.changes import ACTIVE, JournalEntry, StoredRow
from chatrecord.store.chat_store import Scope

from .arriving_files import ArrivingAttachments
from .attachments import Attachments
from .rows import (
    chat_of,
    chat_values,
    entry_of,
    feedback_of,
    message_of,
    request_of,
    run_of,
    tool_call_of,
    values_of,
)

Record: TypeAlias = StoredRow
Snapshot: TypeAlias = Callable[[], AbstractAsyncContextManager[AsyncConnection]]

_PAGE = 100
"""Rows that are fetched at a time."""

_BATCH = 500
"""Rows that are written at a time."""

_REPEATED = ("unique", "duplicate")
"""What the databases say of a row that is there already."""


async def rows_of_chat(
    sql: Statements, files: Attachments, snapshot: Snapshot, chat_id: UUID, scope: Scope
) -> AsyncGenerator[ChatRecord | Record | ChatFile]:
    """See `chatrecord.store`."""
    key = {"chat_id": chat_id}
    async with snapshot() as connection:
        chat = sql.get_chat(scope, hidden=None)
        found = (await connection.execute(chat, key)).mappings().first()
        if found is None:
            return
        yield chat_of(found)
        for statement, record_of in _reading(sql):
            paged = statement.execution_options(yield_per=_PAGE)
            rows = await connection.stream(paged, key)
            async for row in rows.mappings():
                yield files.exported(record_of(row))
        async for file in files.of_chat(connection, chat_id):
            yield file


def _reading(sql: Statements) -> Iterator[tuple[Query, Callable[[Row], Record]]]:
    yield sql.runs_of_chat, run_of
    yield sql.messages_of_chat, message_of
    if sql.tool_call is not None:
        yield sql.all_of(sql.tool_call), tool_call_of
    if sql.request is not None:
        yield sql.all_of(sql.request), request_of
    if sql.feedback is not None:
        yield sql.all_of(sql.feedback), feedback_of
    yield sql.journal_of_chat, entry_of


async def insert_whole_chat(
    sql: Statements,
    attachments: ArrivingAttachments,
    connection: AsyncConnection,
    chat: ChatRecord,
    rows: Sequence[Record | ChatFile],
) -> ChatRecord:
    """See `chatrecord.store`. The rows are as this database has them, and files that belong into a
    store of the user's are there.
    """
    key = {"chat_id": chat.id}
    records = [row for row in rows if not isinstance(row, ChatFile)]
    files = [row for row in rows if isinstance(row, ChatFile)]
    values = {**sql.chat.stored(chat_values(chat)), "next_seq": _next_seq(records)}
    await connection.execute(sql.chat.insert(*values), values)
    stored = chat_of((await connection.execute(sql.get_chat({}), key)).mappings().one())
    check_stored(sql.chat.columns, chat.columns, stored.columns)
    for kind, group in groupby(records, type):
        mapped = _table_of(sql, kind)
        if mapped is not None:
            await _insert(connection, mapped, list(group))
    await attachments.keep_new(connection, chat.id, files)
    return stored


async def _insert(
    connection: AsyncConnection, mapped: MappedTable, records: Sequence[Record]
) -> None:
    for start in range(0, len(records), _BATCH):
        batch = [mapped.stored(_values(record)) for record in records[start : start + _BATCH]]
        await connection.execute(mapped.insert(*batch[0]), batch)


def _values(record: Record) -> Values:
    values = values_of(record)
    if not isinstance(record, Run):
        return values
    active = record.chat_id if record.status in ACTIVE else None
    return {**values, "active_chat_id": active, "stop_requested": False}


def _table_of(sql: Statements, kind: type[Record]) -> MappedTable | None:
    return {
        Run: sql.run,
        Message: sql.message,
        ToolCall: sql.tool_call,
        ApiRequest: sql.request,
        Feedback: sql.feedback,
        JournalEntry: sql.chunk,
    }[kind]


def _next_seq(rows: Sequence[Record]) -> int:
    return max((0, *(row.seq for row in rows if isinstance(row, Message)))) + 1


def is_repeated(error: BaseException | None) -> bool:
    """Whether this is what a database says of a row that is there already."""
    message = str(getattr(error, "orig", "")).lower()
    return isinstance(error, IntegrityError) and any(word in message for word in _REPEATED)


def exists(chat_id: UUID) -> ChatExists:
    """What to say of a chat that is there already."""
    return ChatExists(
        f"Chat {chat_id}, or a part of it, is here already: import it with new_ids=True to have a "
        "copy beside it, or delete it first"
    )
