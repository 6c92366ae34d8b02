"""What is checked by reading: tool results, files, replacements, and damaged values."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from itertools import groupby
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from chatrecord.attachments.embedded_files import digest, referred_to
from chatrecord.errors import DatabaseFailed
from chatrecord.records import Json
from chatrecord.sqlalchemy.generics import Query, Row, Values
from chatrecord.sqlalchemy.sql.contents import Contents
from chatrecord.sqlalchemy.sql.statements import Statements
from chatrecord.sqlalchemy.sql.tables import MappedTable
from chatrecord.sqlalchemy.store.store import SqlStore
from chatrecord.store.changes import ACTIVE
from chatrecord.values import Call

from .findings import Finding

BATCH = 200
"""Rows whose content is in memory at a time."""

ONE_RESULT = "a tool call of an answer that is current has one result, in a message after it"
_READABLE = "what is stored can be read"
_SAYS_SOMETHING = "a message that is complete has text or content"
_HAS_FILE = "a file that is referred to has a row in its chat"
_IS_FILE = "a file has the size and the hash that its row says"
_REPLACED = "a run that replaces leaves either the old messages or its own as current ones"

_NONE = UUID(int=0)
_BELOW_ALL = -(2**31)


class ContentCheck:
    """Reads every value of a database, a page at a time, each page as of one moment."""

    def __init__(self, sql: Statements, store: SqlStore) -> None:
        self._sql = sql
        self._store = store
        self._select = Contents(sql)

    async def findings(self) -> AsyncIterator[Finding]:
        """All that is found, in the order of the tables."""
        async for finding in self._of_messages():
            yield finding
        if self._sql.tool_call is not None:
            async for finding in self._of_pages(self._sql.tool_call, ("result",), self._call):
                yield finding
        async for finding in self._of_pages(self._sql.run, ("status", "settings"), self._run):
            yield finding
        if self._sql.attachment is not None:
            async for finding in self._of_files(self._sql.attachment):
                yield finding

    # Messages

    async def _of_messages(self) -> AsyncIterator[Finding]:
        place: Values = {"chat_id": _NONE, "seq": _BELOW_ALL}
        page: list[Row] = [place]
        while page:
            async with self._store.snapshot() as connection:
                page = await _rows(connection, self._select.places, **place, limit=BATCH)
                found, rows = await self._read(
                    connection, self._sql.message, self._select.messages, page
                )
                found += [finding for row in rows for finding in self._message(row)]
                found += await self._without_file(
                    connection, self._sql.message, rows, lambda row: row["content"]
                )
                suspects = {row["chat_id"] for row, _ in _wrongly_answered(rows)}
            for chat_id in sorted(suspects):
                found += await self._calls_of(chat_id)
            for finding in found:
                yield finding
            if page:
                place = {"chat_id": page[-1]["chat_id"], "seq": page[-1]["seq"]}

    async def _calls_of(self, chat_id: UUID) -> list[Finding]:
        """A page may have cut the chat in two: this looks at all of it."""
        async with self._store.snapshot() as connection:
            of_chat = {"chat_id": chat_id}
            rows = await _rows(connection, self._select.messages_of_chat, **of_chat)
        table = self._sql.message
        return [_finding(ONE_RESULT, table, row, what) for row, what in _wrongly_answered(rows)]

    def _message(self, row: Row) -> Iterator[Finding]:
        is_complete = row["status"] == "complete"
        if is_complete and row["content"] is None and not row["text"]:
            yield _finding(_SAYS_SOMETHING, self._sql.message, row, f"seq={row['seq']}")

    # Tool calls and runs

    async def _of_pages(
        self,
        table: MappedTable,
        names: Sequence[str],
        check: Callable[[AsyncConnection, Sequence[Row]], Any],
    ) -> AsyncIterator[Finding]:
        after, page = _NONE, list[Row]([{}])
        these = self._select.these(table, *names)
        while page:
            async with self._store.snapshot() as connection:
                keys = {"after": after, "limit": BATCH}
                page = await _rows(connection, self._select.ids(table), **keys)
                found, rows = await self._read(connection, table, these, page)
                found += await check(connection, rows)
            for finding in found:
                yield finding
            after = page[-1]["id"] if page else after

    async def _call(self, connection: AsyncConnection, rows: Sequence[Row]) -> list[Finding]:
        table = self._sql.tool_call
        assert table is not None
        return await self._without_file(connection, table, rows, lambda row: row["result"])

    async def _run(self, connection: AsyncConnection, rows: Sequence[Row]) -> list[Finding]:
        found: list[Finding] = []
        for row in rows:
            settings = row["settings"]
            first = settings.get("replaces") if isinstance(settings, dict) else None
            if isinstance(first, int) and row["status"] not in ("waiting", *ACTIVE):
                what = await self._left_standing(connection, row, first)
                found += [_finding(_REPLACED, self._sql.run, row, what)] if what else []
        return found

    async def _left_standing(self, connection: AsyncConnection, run: Row, first: int) -> str | None:
        """A message that should be superseded after a run that replaces the messages from there."""
        of_chat = {"chat_id": run["chat_id"], "first": first}
        if not await _rows(connection, self._select.has_number, **of_chat):
            return f"there is no message {first}, which it replaces"
        standing = await _rows(connection, self._select.standing_from, **of_chat)
        own = [row["seq"] for row in standing if row["run_id"] == run["id"]]
        if run["status"] != "complete":
            return f"status='{run['status']}', and its message {own[0]} is current" if own else None
        before = [row["seq"] for row in standing if own and row["seq"] < min(own)]
        return f"status='complete', and message {before[0]} is current" if before else None

    # Files

    async def _without_file(
        self,
        connection: AsyncConnection,
        table: MappedTable,
        rows: Sequence[Row],
        value: Callable[[Row], Any],
    ) -> list[Finding]:
        """Values that refer to a file without a row in their chat."""
        if self._sql.attachment is None:
            return []
        wanted = {
            (row["id"], file_hash): row for row in rows for file_hash in referred_to(value(row))
        }
        if not wanted:
            return []
        chats = sorted({row["chat_id"] for row in wanted.values()})
        these = {"chat_ids": chats, "hashes": sorted({file_hash for _, file_hash in wanted})}
        kept = {tuple(row.values()) for row in await _rows(connection, self._select.files, **these)}
        return [
            _finding(_HAS_FILE, table, row, f"file {file_hash}")
            for (_, file_hash), row in wanted.items()
            if (row["chat_id"], file_hash) not in kept
        ]

    async def _of_files(self, table: MappedTable) -> AsyncIterator[Finding]:
        """One file at a time: they are large."""
        after, page = _NONE, list[Row]([{}])
        while page:
            async with self._store.long_transaction() as connection:
                keys = {"after": after, "limit": BATCH}
                page = await _rows(connection, self._select.ids(table), **keys)
            for row in page:
                what = await self._wrong_file(table, row["id"])
                if what is not None:
                    yield _finding(_IS_FILE, table, row, what)
            after = page[-1]["id"] if page else after

    async def _wrong_file(self, table: MappedTable, row_id: UUID) -> str | None:
        names = ("hash", "size", "data", "stored_at")
        async with self._store.long_transaction() as connection:
            these = self._select.these(table, *names)
            rows = await _rows(connection, these, ids=[row_id])
        files = self._store.attachments
        if not rows or rows[0]["stored_at"] is None or not files.can_read(rows[0]):
            return None  # it is gone, on its way, or where this Database cannot look
        try:
            data = await files.read(rows[0])
        except DatabaseFailed as error:
            _raise_if_it_may_pass(error)
            return "its bytes are others, or cannot be read"
        if data is None:
            return "its bytes are gone"
        if len(data) != rows[0]["size"]:
            return f"size={rows[0]['size']}, and it has {len(data)} bytes"
        return None if digest(data) == rows[0]["hash"] else "its bytes have another hash"

    # Reading

    async def _read(
        self,
        connection: AsyncConnection,
        table: MappedTable,
        these: Query,
        page: Sequence[Row],
    ) -> tuple[list[Finding], Sequence[Row]]:
        """The rows of a page, and findings for damaged values."""
        if not page:
            return [], []
        try:
            return [], await _rows(connection, these, ids=[row["id"] for row in page])
        except DatabaseFailed as error:
            _raise_if_it_may_pass(error)
        found, read = list[Finding](), list[Row]()
        for row in page:
            try:
                read += await _rows(connection, these, ids=[row["id"]])
            except DatabaseFailed as error:
                _raise_if_it_may_pass(error)
                found.append(_finding(_READABLE, table, row, "a value was changed or cut off"))
        return found, read


async def _rows(connection: AsyncConnection, statement: Query, **parameters: object) -> list[Row]:
    found = await connection.execute(statement, parameters)
    return [dict(row) for row in found.mappings()]


def _raise_if_it_may_pass(error: DatabaseFailed) -> None:
    if error.may_pass:
        raise error


def _finding(says: str, table: MappedTable, row: Row, what: str) -> Finding:
    return Finding(says, table.table.name, row["id"], row["chat_id"], what)


def _wrongly_answered(rows: Sequence[Row]) -> Iterator[tuple[Row, str]]:
    """Answers with a call that has no result, or too many, before the next answer or question."""
    for _, of_chat in groupby(rows, key=lambda row: row["chat_id"]):
        standing = [row for row in of_chat if row["status"] != "superseded" and row["seq"] >= 0]
        for place, row in enumerate(standing):
            calls = calls_in(row["content"]) if _has_ended(row) else []
            asked = Counter(call.call_id for call in calls)
            if asked:
                results = Counter(_results_after(standing[place + 1 :]))
                for call_id, times in asked.items():
                    if not results[call_id]:
                        yield row, f"tool call {call_id} has no result"
                    elif results[call_id] > times:
                        yield row, f"tool call {call_id} has {results[call_id]} results"


def _has_ended(row: Row) -> bool:
    """A conversation of pydantic-ai's own, which has no runs, is a tree and may end anywhere."""
    is_whole = row["role"] == "assistant" and row["status"] == "complete"
    return is_whole and row["run_id"] is not None and not row["is_live"]


def calls_in(content: Json) -> list[Call]:
    """The calls that an answer asks for."""
    return [
        Call(str(part["tool_call_id"]), str(part.get("tool_name")), part.get("args"))
        for part in _parts(content)
        if part.get("part_kind") == "tool-call" and "tool_call_id" in part
    ]


def _results_after(rows: Sequence[Row]) -> Iterator[str]:
    for row in rows:
        if row["role"] == "assistant":
            return
        for part in _parts(row["content"]):
            if isinstance(part.get("tool_call_id"), str):
                yield str(part["tool_call_id"])


def _parts(content: Json) -> list[dict[str, Json]]:
    parts = content.get("parts") if isinstance(content, dict) else None
    return [part for part in parts if isinstance(part, dict)] if isinstance(parts, list) else []
