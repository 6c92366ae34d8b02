"""A whole export, read and checked line by line before anything is written."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterable, AsyncIterator, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeAlias
from uuid import UUID

from chatrecord.attachments.embedded_files import ChatFile, digest
from chatrecord.errors import ImportInvalid
from chatrecord.feedback import Feedback
from chatrecord.records import ApiRequest, ChatRecord, Json, Message, Run, ToolCall
from chatrecord.store import payloads
from chatrecord.store.changes import ACTIVE, JournalEntry
from chatrecord.text.storable import unescape_json

from .columns import read_column
from .fields import OBJECT, read
from .lines import CHAT, KINDS, REQUEST_KIND, VERSION, Row

Lines: TypeAlias = Iterable[str | bytes] | AsyncIterable[str | bytes]

_FIRST = (
    'does not say {"kind": "chatrecord"}: this is no export of chatrecord. The histories of other '
    "libraries are read by import_history()"
)
_HASH = re.compile("[0-9a-f]{64}")


@dataclass(slots=True)
class Export:
    """A chat as its export tells it. `add` takes a line after the other."""

    chat: ChatRecord | None = None
    rows: list[Row] = field(default_factory=list)
    is_whole: bool = False
    _begun: bool = False
    _kind: int = 0
    _ids: set[UUID] = field(default_factory=set)
    _runs: set[UUID] = field(default_factory=set)
    _messages: set[UUID] = field(default_factory=set)
    _numbers: set[object] = field(default_factory=set)

    def add(self, line: str | bytes) -> None:
        """The next line. Raises `ValueError`."""
        row = _parsed(line)
        kind = row.pop("kind", None)
        if not self._begun:
            self._begin(kind, row)
        elif self.is_whole:
            msg = "comes after the end: import one chat at a time"
            raise ValueError(msg)
        elif self.chat is None:
            self._add_chat(kind, row)
        elif kind == "end":
            self._end(row)
        else:
            self._add_row(kind, row)

    def _begin(self, kind: Json, row: dict[str, Json]) -> None:
        if kind != "chatrecord":
            raise ValueError(_FIRST)
        version = row.get("version")
        if row != {"version": VERSION}:
            msg = f"says version {version!r}, and this chatrecord reads {VERSION}: upgrade it"
            raise ValueError(msg)
        self._begun = True

    def _add_chat(self, kind: Json, row: dict[str, Json]) -> None:
        if kind != "chat":
            msg = 'is not the chat: the second line has "kind": "chat"'
            raise ValueError(msg)
        columns = OBJECT.read(row.pop("columns", None))
        values = read(CHAT, row)
        own = {name: _read_column(name, value) for name, value in columns.items()}
        self.chat = ChatRecord(**values, columns=own)

    def _add_row(self, kind: Json, row: dict[str, Json]) -> None:
        names = list(KINDS)
        if kind not in names:
            msg = f"has the unknown kind {kind!r}: there are {', '.join(names)}"
            raise ValueError(msg)
        place = names.index(str(kind))
        if place < self._kind:
            msg = f"is a {kind} after a {names[self._kind]}: the order is {', '.join(names)}"
            raise ValueError(msg)
        self._kind = place
        assert self.chat is not None
        if REQUEST_KIND in row:
            row["kind"] = row.pop(REQUEST_KIND)
        found = KINDS[str(kind)]
        values = read(found.layout, row)
        if found.record not in (JournalEntry, ChatFile):
            values["chat_id"] = self.chat.id
        record: Any = found.record(**values)
        self._check(record)
        self.rows.append(record)

    def _check(self, row: Row) -> None:
        if not isinstance(row, JournalEntry | ChatFile):
            _once(row.id, self._ids, "id")
        if isinstance(row, Run):
            self._check_run(row)
        elif isinstance(row, Message):
            _known(row.run_id, self._runs, "run")
            _check_summary(row)
            _once(("seq", row.seq), self._numbers, "seq")
            self._messages.add(row.id)
        elif isinstance(row, ToolCall | ApiRequest | Feedback):
            _known(row.run_id, self._runs, "run")
            _known(row.message_id, self._messages, "message")
        elif isinstance(row, ChatFile):
            self._check_file(row)
        else:
            self._check_piece(row)

    def _check_file(self, file: ChatFile) -> None:
        _once(("file", file.hash), self._numbers, "hash")
        if not _HASH.fullmatch(file.hash):
            msg = "has a hash that is no SHA-256 in hexadecimal"
            raise ValueError(msg)
        if file.data is not None and (digest(file.data), len(file.data)) != (file.hash, file.size):
            msg = "is a file whose data has another hash or size: export it again"
            raise ValueError(msg)

    def _check_run(self, run: Run) -> None:
        if run.status == "waiting":
            msg = "is a run that has not begun: leave it out"
            raise ValueError(msg)
        if run.status in ACTIVE:
            _once("active", self._numbers, "active run")
        if run.idempotency_key is not None:
            _once(("key", run.idempotency_key), self._numbers, "idempotency_key")
        self._runs.add(run.id)

    def _check_piece(self, piece: JournalEntry) -> None:
        _known(piece.message_id, self._messages, "message")
        _once((piece.message_id, piece.seq), self._numbers, "seq of its message")
        payload = OBJECT.read(piece.payload)
        is_whole = payload.get("kind") in payloads.WHOLES
        said = payload.get("data" if is_whole else "text")
        if payload.get("kind") not in payloads.KINDS or not isinstance(
            said, dict if is_whole else str
        ):
            msg = 'has a payload that is not {"kind": "text" or "reasoning", "text": ...}'
            raise ValueError(msg)

    def _end(self, row: dict[str, Json]) -> None:
        if row != {"rows": len(self.rows)}:
            msg = f"says {row.get('rows')!r} rows, and {len(self.rows)} have come: export it again"
            raise ValueError(msg)
        self.is_whole = True


def _check_summary(message: Message) -> None:
    """The number of a summary is that of the last message it covers, negated."""
    is_summary = message.role == "summary"
    covers = message.content.get("covers") if isinstance(message.content, dict) else None
    if is_summary is not (message.seq < 0) or (is_summary and covers != -message.seq):
        msg = 'is no summary: those, and no others, have as "seq" what they "covers", negated'
        raise ValueError(msg)


async def read_export(lines: Lines) -> Export:
    """All of an export. Raises `ImportInvalid`, which names the line."""
    export, number = Export(), 0
    async for line in _each(lines):
        number += 1
        if not isinstance(line, str | bytes):
            msg = f"lines= takes lines of text, not {type(line).__name__}"
            raise TypeError(msg)
        if not line.strip():
            continue
        try:
            export.add(line)
        except (ValueError, RecursionError) as error:
            msg = f"Line {number} {error}"
            raise ImportInvalid(msg, line=number) from error
    if not export.is_whole:
        msg = f"The export was cut off after line {number}, it has no end: export it again"
        raise ImportInvalid(msg, line=number)
    return export


async def _each(lines: Lines) -> AsyncIterator[str | bytes]:
    if isinstance(lines, str | bytes):
        msg = "lines= takes an iterable of lines, such as an open file: split it with .split('\\n')"
        raise TypeError(msg)
    if isinstance(lines, AsyncIterable):
        async for line in lines:
            yield line
    elif isinstance(lines, Iterable):
        for line in lines:
            yield line
    else:
        msg = f"lines= takes an iterable of lines, such as an open file, not {type(lines).__name__}"
        raise TypeError(msg)


def _parsed(line: str | bytes) -> dict[str, Json]:
    try:
        row = unescape_json(json.loads(line))
    except RecursionError as error:
        msg = "is nested too deeply"
        raise ValueError(msg) from error
    except ValueError as error:
        msg = f"is no JSON: {error}"
        raise ValueError(msg) from error
    if not isinstance(row, dict):
        msg = "is no JSON object"
        raise ValueError(msg)  # noqa: TRY004
    return row


def _read_column(name: str, value: Json) -> object:
    try:
        return read_column(value)
    except ValueError as error:
        msg = f"has a column {name} that {error}"
        raise ValueError(msg) from error


def _once(value: object, seen: set[Any], name: str) -> None:
    if value in seen:
        msg = f"repeats the {name} of an earlier line"
        raise ValueError(msg)
    seen.add(value)


def _known(row_id: UUID | None, known: set[UUID], kind: str) -> None:
    if row_id is not None and row_id not in known:
        msg = f"belongs to the {kind} {row_id}, which is not in this export"
        raise ValueError(msg)
