"""The lines of an exported chat, and how each is made.

    {"kind": "chatrecord", "version": 1}
    {"kind": "chat", "id": ..., "title": ..., "columns": {"user_id": "u1"}, ...}
    {"kind": "run", ...}
    {"kind": "message", ...}
    {"kind": "tool_call", ...}
    {"kind": "request", ...}
    {"kind": "feedback", ...}
    {"kind": "piece", ...}              of an answer that was still streaming
    {"kind": "attachment", ...}         a file that messages and tool calls refer to by its hash
    {"kind": "end", "rows": 12}

Kinds come in this order. Lines are ASCII. Times are in UTC, amounts of money are text. JSON has no
way to say a lone surrogate: such a character, and U+001A, is written as U+001A and four hexadecimal
digits.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from chatrecord.attachments.embedded_files import ChatFile
from chatrecord.feedback import Feedback
from chatrecord.records import (
    ApiRequest,
    ChatRecord,
    Json,
    Message,
    MessageStatus,
    RequestStatus,
    Role,
    Run,
    RunStatus,
    ToolCall,
    ToolCallStatus,
)
from chatrecord.store.changes import JournalEntry, StoredRow
from chatrecord.text.storable import escape_json

from .columns import write_column
from .fields import (
    BYTES,
    ID,
    JSON,
    KEY,
    MOMENT,
    MONEY,
    NUMBER,
    OBJECT,
    TEXT,
    TOKENS,
    TRUTH,
    WHOLE,
    Layout,
    added_later,
    one_of,
    optional,
    written,
)

VERSION = 1
REQUEST_KIND = "request_kind"
"""What a line calls the kind of a request: `kind` is that of the line."""

HEADER: dict[str, Json] = {"kind": "chatrecord", "version": VERSION}

Row: TypeAlias = StoredRow | ChatFile
"""Whatever a chat consists of."""

CHAT: Layout = {
    "id": ID,
    "model": optional(TEXT),
    "provider": optional(TEXT),
    "agent": optional(TEXT),
    "instructions": optional(TEXT),
    "title": optional(TEXT),
    "metadata": OBJECT,
    "created_at": MOMENT,
    "updated_at": MOMENT,
    "forked_from": added_later(optional(ID)),
    "forked_at": added_later(optional(ID)),
    "restored": added_later(JSON),
}

RUN: Layout = {
    "id": ID,
    "status": one_of(RunStatus),
    "owner": KEY,
    "epoch": WHOLE,
    "lease_until": MOMENT,
    "idempotency_key": optional(KEY),
    "instructions": optional(TEXT),
    "settings": JSON,
    "error": optional(TEXT),
    "started_at": MOMENT,
    "finished_at": optional(MOMENT),
    "question": added_later(JSON),
}

MESSAGE: Layout = {
    "id": ID,
    "run_id": optional(ID),
    "seq": WHOLE,
    "role": one_of(Role),
    "status": one_of(MessageStatus),
    "text": TEXT,
    "reasoning": optional(TEXT),
    "content": JSON,
    "format": optional(KEY),
    "model": optional(TEXT),
    "provider": optional(TEXT),
    "finish_reason": optional(TEXT),
    "tokens": TOKENS,
    "created_at": MOMENT,
    "finished_at": optional(MOMENT),
}

TOOL_CALL: Layout = {
    "id": ID,
    "run_id": optional(ID),
    "message_id": ID,
    "call_id": TEXT,
    "name": TEXT,
    "arguments": JSON,
    "status": one_of(ToolCallStatus),
    "result": JSON,
    "error": optional(TEXT),
    "started_at": optional(MOMENT),
    "finished_at": optional(MOMENT),
    "duration_ms": optional(NUMBER),
}

REQUEST: Layout = {
    "id": ID,
    "run_id": optional(ID),
    "message_id": optional(ID),
    "provider": optional(TEXT),
    "model": optional(TEXT),
    "status": one_of(RequestStatus),
    "http_status": optional(WHOLE),
    "error_type": optional(TEXT),
    "error": optional(TEXT),
    "provider_request_id": optional(TEXT),
    "streamed": TRUTH,
    "started_at": MOMENT,
    "latency_ms": optional(NUMBER),
    "first_token_ms": optional(NUMBER),
    "tokens": TOKENS,
    "cost": optional(MONEY),
    "price_source": optional(KEY),
    "list_cost": added_later(optional(MONEY)),
    "kind": added_later(optional(KEY)),
}

FEEDBACK: Layout = {
    "id": ID,
    "message_id": ID,
    "run_id": optional(ID),
    "owner": TEXT,
    "value": NUMBER,
    "comment": optional(TEXT),
    "created_at": MOMENT,
    "updated_at": MOMENT,
}

PIECE: Layout = {"message_id": ID, "seq": WHOLE, "payload": OBJECT}

ATTACHMENT: Layout = {
    "hash": KEY,
    "media_type": TEXT,
    "name": optional(TEXT),
    "size": WHOLE,
    "data": optional(BYTES),
}


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of row: what it is made of, and how."""

    record: type[Row]
    layout: Layout


KINDS: Mapping[str, Kind] = {
    "run": Kind(Run, RUN),
    "message": Kind(Message, MESSAGE),
    "tool_call": Kind(ToolCall, TOOL_CALL),
    "request": Kind(ApiRequest, REQUEST),
    "feedback": Kind(Feedback, FEEDBACK),
    "piece": Kind(JournalEntry, PIECE),
    "attachment": Kind(ChatFile, ATTACHMENT),
}
"""The kinds of rows, in their order."""


def header_line() -> str:
    """The first line."""
    return _line(HEADER)


def chat_line(chat: ChatRecord) -> str:
    """The line of the chat itself."""
    columns = {name: write_column(name, value) for name, value in chat.columns.items()}
    return _line({"kind": "chat", **written(CHAT, chat), "columns": columns})


def row_line(row: Row) -> str:
    """The line of a row."""
    for name, kind in KINDS.items():
        if isinstance(row, kind.record):
            values = written(kind.layout, row)
            if "kind" in values:  # that of a request, beside that of the line
                values[REQUEST_KIND] = values.pop("kind")
            return _line({"kind": name, **values})
    raise AssertionError(row)


def end_line(rows: int) -> str:
    """The last line, by which a reader knows that none is missing."""
    return _line({"kind": "end", "rows": rows})


def _line(row: Json) -> str:
    return json.dumps(escape_json(row), separators=(",", ":"))
