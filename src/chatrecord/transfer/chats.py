"""Export a chat and import it: the same rows, in another database or as a copy."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from chatrecord.attachments.embedded_files import ChatFile
from chatrecord.chats import opening as chats
from chatrecord.chats.insertion import inserted
from chatrecord.errors import ImportInvalid
from chatrecord.ids import new_id
from chatrecord.records import ChatRecord, Run
from chatrecord.runs.process import Backend
from chatrecord.store.changes import JournalEntry
from chatrecord.store.chat_store import Scope
from chatrecord.store.queued_question import renewed_question

from .lines import Row, chat_line, end_line, header_line, row_line
from .reading import Lines, read_export

_REFERENCES = ("id", "chat_id", "run_id", "message_id")


async def export_chat(backend: Backend, chat_id: UUID | str, scope: Scope) -> AsyncGenerator[str]:
    """The lines of a chat within the scope. Raises `ChatNotFound`."""
    wanted = chats.id_of(chat_id)
    lines = 0
    if await backend.store.get_chat(wanted, scope) is not None:
        async with aclosing(lines_of_chat(backend, wanted, scope)) as found:
            async for line in found:
                yield line
                lines += 1
    if not lines:
        raise chats.not_found(chat_id)


async def lines_of_chat(backend: Backend, chat_id: UUID, scope: Scope) -> AsyncGenerator[str]:
    """The same, of one that was deleted for a time, too. None where there is none."""
    await chats.repair(backend, chats=[chat_id])
    rows = 0
    async with aclosing(backend.store.shown.rows_of_chat(chat_id, scope)) as found:
        chat = await anext(found, None)
        if not isinstance(chat, ChatRecord):
            return
        yield header_line()
        yield chat_line(chat)
        async for row in found:
            assert not isinstance(row, ChatRecord)
            yield row_line(row)
            rows += 1
    yield end_line(rows)


async def import_chat(
    backend: Backend, lines: Lines, *, new_ids: bool, columns: Mapping[str, object]
) -> ChatRecord:
    """Write an exported chat with all its rows, in one transaction, after all is checked."""
    export = await read_export(lines)
    assert export.chat is not None
    own = _columns(backend, export.chat.columns) | dict(columns)
    chat = replace(export.chat, columns=own)
    rows = [_orphaned(row) if isinstance(row, Run) else row for row in export.rows]
    if new_ids:
        chat, rows = _renewed(chat, rows)
    store = backend.store
    if new_ids:
        stored = await inserted(store, chat, lambda: store.insert_whole_chat(chat, rows))
    else:
        stored = await store.insert_whole_chat(chat, rows)
    await chats.repair(backend, chats=[stored.id])
    return stored


def _columns(backend: Backend, exported: Mapping[str, object]) -> dict[str, object]:
    """The columns of the export that the chats here have, too."""
    known = backend.store.chat_columns()
    own = {name: value for name, value in exported.items() if name in known}
    for name, value in own.items():
        try:
            backend.store.check_column(name, value)
        except (TypeError, ValueError) as error:
            msg = f"Line 2 has a column that does not fit here: {error}"
            raise ImportInvalid(msg, line=2) from error
    return own


def _orphaned(run: Run) -> Run:
    """A run that was being worked on: its process is not here, so it has died, for all we know."""
    over = datetime.now(UTC) - timedelta(seconds=1)
    return replace(run, lease_until=over) if run.status == "running" else run


def _renewed(chat: ChatRecord, rows: list[Row]) -> tuple[ChatRecord, list[Row]]:
    """The same under new ids, which sort as the old ones did."""
    fresh: dict[UUID, UUID] = {chat.id: new_id()}
    for row in rows:
        if not isinstance(row, JournalEntry | ChatFile):
            fresh[row.id] = new_id()
    copies: list[Any] = [_with_ids(row, fresh) for row in rows]
    return replace(chat, id=fresh[chat.id]), copies


def _with_ids(row: Any, fresh: Mapping[UUID, UUID]) -> Any:
    references = {name: getattr(row, name, None) for name in _REFERENCES}
    row = replace(row, **{name: fresh[old] for name, old in references.items() if old is not None})
    return replace(row, question=renewed_question(row.question)) if isinstance(row, Run) else row
