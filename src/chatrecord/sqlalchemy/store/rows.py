"""Between rows and records."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from decimal import Decimal
from functools import cache
from operator import attrgetter
from typing import Any, cast

from chatrecord.feedback import Feedback
from chatrecord.records import ApiRequest, ChatRecord, Message, Run, Tokens, ToolCall, Usage
from chatrecord.sqlalchemy.generics import Row, Values
from chatrecord.sqlalchemy.models.mixins import ChatColumns
from chatrecord.store.changes import JournalEntry
from chatrecord.store.rows import RunState
from chatrecord.store.stored_message import READ_FIELDS, Known, StoredMessage

_CHAT_FIELDS = {field.name for field in fields(ChatRecord)} - {"columns", "metadata"}
_LATER_CHAT_FIELDS = _CHAT_FIELDS & ChatColumns.__later__
_HIDDEN = {*_CHAT_FIELDS, "metadata_", "next_seq", *ChatColumns.__later__}
_MESSAGE_FIELDS = [field.name for field in fields(Message) if field.name != "tokens"]
_ENTRY_FIELDS = [field.name for field in fields(JournalEntry)]
_RUN_STATE_FIELDS = [field.name for field in fields(RunState)]
_FEEDBACK_FIELDS = [field.name for field in fields(Feedback)]
_LATER_OF_RUNS = ("question", "parent_run_id")
_RUN_FIELDS = [field.name for field in fields(Run) if field.name not in _LATER_OF_RUNS]
_TOOL_CALL_FIELDS = [field.name for field in fields(ToolCall)]
_LATER_FIELDS = ("list_cost", "kind")
_REQUEST_FIELDS = [
    field.name for field in fields(ApiRequest) if field.name not in ("tokens", *_LATER_FIELDS)
]

_TOKENS = slice(READ_FIELDS.index("tokens"), READ_FIELDS.index("tokens") + len(fields(Tokens)))


def own_columns(names: Sequence[str]) -> list[str]:
    """The columns of a chat that are the user's."""
    return [name for name in names if name not in _HIDDEN]


def chat_of(row: Row) -> ChatRecord:
    """A row of a chat as a record."""
    own = {name: row[name] for name in own_columns(list(map(str, row)))}
    known = {name: row[name] for name in _CHAT_FIELDS - _LATER_CHAT_FIELDS}
    known |= {name: row.get(name) for name in _LATER_CHAT_FIELDS}  # a table may lack them
    return ChatRecord(**known, metadata=row["metadata_"], columns=own)


def chat_values(chat: ChatRecord) -> Values:
    """A new chat as the values of its row."""
    known = {name: getattr(chat, name) for name in _CHAT_FIELDS}
    return {**known, "metadata_": chat.metadata, "next_seq": 1, **chat.columns}


def changed_values(changes: Mapping[str, object]) -> Values:
    """Changed fields and columns of a chat, by the attributes of its class."""
    return {"metadata_" if name == "metadata" else name: it for name, it in changes.items()}


def message_of(row: Row) -> Message:
    """A row of a message as a record."""
    return Message(**_picked(row, _MESSAGE_FIELDS), tokens=_tokens_of(row))


def past_message_of(row: Sequence[Any], known: Known | None = None) -> StoredMessage:
    """A row of the history: see `MessageStatements.history_before`."""
    *values, content = row
    values[_TOKENS] = [Tokens(*values[_TOKENS])]
    return StoredMessage.read(values, content, known)


def entry_of(row: Row) -> JournalEntry:
    """A row of the journal."""
    return JournalEntry(**_picked(row, _ENTRY_FIELDS))


def feedback_of(row: Row) -> Feedback:
    """A row of feedback as a record."""
    return Feedback(**_picked(row, _FEEDBACK_FIELDS))


def run_state_of(row: Row) -> RunState:
    """How a run does."""
    return RunState(**_picked(row, _RUN_STATE_FIELDS))


def run_of(row: Row) -> Run:
    """A row of a run as a record."""
    return Run(
        **_picked(row, _RUN_FIELDS),
        question=row.get("question"),  # a table may lack these
        parent_run_id=row.get("parent_run_id"),
    )


def tool_call_of(row: Row) -> ToolCall:
    """A row of a tool call as a record."""
    return ToolCall(**_picked(row, _TOOL_CALL_FIELDS))


def request_of(row: Row) -> ApiRequest:
    """A row of a request as a record."""
    return ApiRequest(
        **_picked(row, _REQUEST_FIELDS),
        tokens=_tokens_of(row),
        list_cost=row.get("list_cost"),  # a table may lack these
        kind=row.get("kind"),
    )


def values_of(record: object) -> Values:
    """A record as the values of its row, its tokens a column each."""
    names, read = _columns_of(cast(Any, type(record)))
    return dict(zip(names, read(record), strict=True))


def new_values_of(record: object, *, but: frozenset[str]) -> Values:
    """All of them `but` these, each named `new_` and its column."""
    names, read = _columns_of(cast(Any, type(record)), but, "new_")
    return dict(zip(names, read(record), strict=True))


@cache
def _columns_of(
    kind: Any, but: frozenset[str] = frozenset(), prefix: str = ""
) -> tuple[Sequence[str], Callable[[object], Sequence[Any]]]:
    """The names of the columns of a kind of record, and what reads their values."""
    paths = {field.name: field.name for field in fields(kind)}
    if paths.pop("tokens", None):
        paths |= {f"{field.name}_tokens": f"tokens.{field.name}" for field in fields(Tokens)}
    wanted = {name: path for name, path in paths.items() if name not in but}
    return tuple(f"{prefix}{name}" for name in wanted), attrgetter(*wanted.values())


def usage_of(row: Row) -> Usage:
    """The sums over a chat as a record. Databases hand sums out as several types."""
    cost = row.get("cost")
    return Usage(
        input_tokens=_whole(row["input_tokens"]),
        output_tokens=_whole(row["output_tokens"]),
        cache_read_tokens=_whole(row["cache_read_tokens"]),
        cache_write_tokens=_whole(row["cache_write_tokens"]),
        reasoning_tokens=_whole(row["reasoning_tokens"]),
        requests=int(row["requests"]),
        cost=cost,
        unpriced_requests=int(row["requests"] - row.get("priced", 0)),
        reported_costs=int(row.get("reported") or 0),
    )


def _picked(row: Row, names: Sequence[str]) -> Values:
    return {name: row[name] for name in names}


def _tokens_of(row: Row) -> Tokens:
    return Tokens(
        input=row["input_tokens"],
        output=row["output_tokens"],
        cache_read=row["cache_read_tokens"],
        cache_write=row["cache_write_tokens"],
        reasoning=row["reasoning_tokens"],
    )


def _whole(value: int | Decimal | None) -> int | None:
    return None if value is None else int(value)
