"""The tables, as mixins for a `DeclarativeBase` of your own.

    class Chat(ChatMixin, Base):
        __tablename__ = "hr_chats"
        user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)

    class Run(RunMixin, Base):
        __tablename__ = "hr_runs"

and so on for `MessageMixin`, `ToolCallMixin`, `RequestMixin`, `ChunkMixin`, `AttachmentMixin`,
`UsageDayMixin`, `EventMixin`, `EventReaderMixin` and `FeedbackMixin`.
The class with the `ChatMixin` comes first: the others find it on the same base (or in their
`__chat__`, where a base has several).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar, Generic, cast
from uuid import UUID

from sqlalchemy import Boolean, Double, ForeignKey, Integer, Table, Uuid, inspect
from sqlalchemy.orm import DeclarativeBase, Mapped, declared_attr, mapped_column
from typing_extensions import TypeVar

from chatrecord.errors import ConfigurationError
from chatrecord.sqlalchemy.generics import TableColumn
from chatrecord.sqlalchemy.types import (
    Bytes,
    Key,
    LongText,
    Money,
    PrivateDocument,
    PrivateJson,
    PrivateText,
    UtcDateTime,
)

from .columns import Columns, not_arguments
from .event_mixins import EventMixin, EventReaderMixin
from .usage_day_mixin import UsageDayMixin

Mixin = TypeVar("Mixin")
ChatRow = TypeVar("ChatRow", bound="ChatColumns", default=Any)
"""The class of the chats."""

PRIVATE: dict[str, tuple[str, ...]] = {
    "chat": ("instructions", "title", "metadata_", "restored"),
    "run": ("instructions", "settings", "error", "question"),
    "message": ("text", "reasoning", "content"),
    "tool_call": ("arguments", "result", "error"),
    "request": ("error",),
    "chunk": ("payload",),
    "attachment": ("name",),
    "event": ("data",),
    "event_reader": ("waiting",),
    "feedback": ("comment",),
}
"""What people, models and tools have said: the columns of each class that can be encrypted."""


@not_arguments
class ChatColumns(Columns):
    """A chat, in tables of your own or in the ready-made ones."""

    __indexes__: ClassVar[tuple[tuple[str, ...], ...]] = (("updated_at", "id"),)
    __later__ = frozenset({"forked_from", "forked_at", "restored", "deleted_at", "parent_run_id"})

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    model: Mapped[str | None] = mapped_column(LongText)
    provider: Mapped[str | None] = mapped_column(LongText)
    agent: Mapped[str | None] = mapped_column(LongText)
    instructions: Mapped[str | None] = mapped_column(PrivateText)
    title: Mapped[str | None] = mapped_column(PrivateText)
    metadata_: Mapped[dict[str, object]] = mapped_column("metadata", PrivateJson)
    next_seq: Mapped[int] = mapped_column(Integer)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    forked_from: Mapped[UUID | None] = mapped_column(Uuid)
    forked_at: Mapped[UUID | None] = mapped_column(Uuid)
    restored: Mapped[Any] = mapped_column(PrivateJson)
    deleted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    parent_run_id: Mapped[UUID | None] = mapped_column(Uuid)


class ChatMixin(ChatColumns):
    """A chat. Add columns of your own; `create_chat` sets them by keyword."""


@not_arguments
class _OfChat(Columns):
    """What every other table shares: it belongs to a chat and goes with it."""

    __chat__: ClassVar[type[ChatColumns] | None] = None

    @declared_attr
    def chat_id(cls) -> Mapped[UUID]:
        return mapped_column(Uuid, _reference(_chat_of(cast(type, cls))), nullable=False)


@not_arguments
class RunMixin(_OfChat):
    """The run from a user message to its final answer.

    `active_chat_id` is unique: one active run per chat.
    """

    __uniques__ = (("chat_id", "idempotency_key"),)
    __indexes__ = (("status", "chat_id"),)
    __later__ = frozenset({"parent_run_id", "question"})

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    active_chat_id: Mapped[UUID | None] = mapped_column(Uuid, unique=True)
    status: Mapped[str] = mapped_column(Key)
    owner: Mapped[str] = mapped_column(Key)
    epoch: Mapped[int] = mapped_column(Integer)
    lease_until: Mapped[datetime] = mapped_column(UtcDateTime)
    stop_requested: Mapped[bool] = mapped_column(Boolean, default=False)
    idempotency_key: Mapped[str | None] = mapped_column(Key)
    instructions: Mapped[str | None] = mapped_column(PrivateText)
    settings: Mapped[Any] = mapped_column(PrivateJson)
    error: Mapped[str | None] = mapped_column(PrivateText)
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    parent_run_id: Mapped[UUID | None] = mapped_column(Uuid)
    question: Mapped[Any] = mapped_column(PrivateDocument)


@not_arguments
class MessageMixin(_OfChat):
    """One message. `(chat_id, seq)` orders a chat; `content` is sent to the LLM again."""

    __uniques__ = (("chat_id", "seq"),)

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    run_id: Mapped[UUID | None] = mapped_column(Uuid, index=True)
    seq: Mapped[int] = mapped_column(Integer)
    role: Mapped[str] = mapped_column(Key)
    status: Mapped[str] = mapped_column(Key)
    text: Mapped[str] = mapped_column(PrivateText)
    reasoning: Mapped[str | None] = mapped_column(PrivateText)
    content: Mapped[Any] = mapped_column(PrivateDocument)
    format: Mapped[str | None] = mapped_column(Key)
    model: Mapped[str | None] = mapped_column(LongText)
    provider: Mapped[str | None] = mapped_column(LongText)
    finish_reason: Mapped[str | None] = mapped_column(LongText)
    input_tokens: Mapped[int | None] = mapped_column(Integer)
    output_tokens: Mapped[int | None] = mapped_column(Integer)
    cache_read_tokens: Mapped[int | None] = mapped_column(Integer)
    cache_write_tokens: Mapped[int | None] = mapped_column(Integer)
    reasoning_tokens: Mapped[int | None] = mapped_column(Integer)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


@not_arguments
class ToolCallMixin(_OfChat):
    """One tool call: stored before the tool runs, with its raw result or error right after."""

    __indexes__ = (("chat_id", "id"),)

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    run_id: Mapped[UUID | None] = mapped_column(Uuid)
    message_id: Mapped[UUID] = mapped_column(Uuid, index=True)
    call_id: Mapped[str] = mapped_column(LongText)
    name: Mapped[str] = mapped_column(LongText)
    arguments: Mapped[Any] = mapped_column(PrivateDocument)
    status: Mapped[str] = mapped_column(Key)
    result: Mapped[Any] = mapped_column(PrivateDocument)
    error: Mapped[str | None] = mapped_column(PrivateText)
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    duration_ms: Mapped[float | None] = mapped_column(Double)


@not_arguments
class RequestMixin(_OfChat):
    """One attempt at a provider, failed ones included, with its tokens, cost and times."""

    __indexes__ = (("chat_id", "id"), ("started_at",))
    __later__ = frozenset({"list_cost", "kind"})

    @declared_attr
    def chat_id(cls) -> Mapped[UUID | None]:  # type: ignore[override]
        """NULL if its chat was deleted and the request was kept."""
        return mapped_column(Uuid, _reference(_chat_of(cast(type, cls))), nullable=True)

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    run_id: Mapped[UUID | None] = mapped_column(Uuid)
    message_id: Mapped[UUID | None] = mapped_column(Uuid)
    provider: Mapped[str | None] = mapped_column(LongText)
    model: Mapped[str | None] = mapped_column(LongText)
    status: Mapped[str] = mapped_column(Key)
    http_status: Mapped[int | None] = mapped_column(Integer)
    error_type: Mapped[str | None] = mapped_column(LongText)
    error: Mapped[str | None] = mapped_column(PrivateText)
    provider_request_id: Mapped[str | None] = mapped_column(LongText)
    streamed: Mapped[bool] = mapped_column(Boolean)
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    latency_ms: Mapped[float | None] = mapped_column(Double)
    first_token_ms: Mapped[float | None] = mapped_column(Double)
    input_tokens: Mapped[int | None] = mapped_column(Integer)
    output_tokens: Mapped[int | None] = mapped_column(Integer)
    cache_read_tokens: Mapped[int | None] = mapped_column(Integer)
    cache_write_tokens: Mapped[int | None] = mapped_column(Integer)
    reasoning_tokens: Mapped[int | None] = mapped_column(Integer)
    cost: Mapped[Decimal | None] = mapped_column(Money)
    price_source: Mapped[str | None] = mapped_column(Key)
    list_cost: Mapped[Decimal | None] = mapped_column(Money)
    kind: Mapped[str | None] = mapped_column(Key)


@not_arguments
class AttachmentMixin(_OfChat):
    """A file that messages refer to by its hash: stored once per chat, however often it is sent.

    `data` is NULL if the bytes are in your store; `stored_at` is NULL until they are stored.
    """

    __uniques__ = (("chat_id", "hash"),)

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    hash: Mapped[str] = mapped_column(Key)
    media_type: Mapped[str] = mapped_column(LongText)
    name: Mapped[str | None] = mapped_column(PrivateText)
    size: Mapped[int] = mapped_column(Integer)
    data: Mapped[bytes | None] = mapped_column(Bytes)
    stored_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


@not_arguments
class FeedbackMixin(_OfChat):
    """What somebody thinks of a message: one row for each message and owner."""

    __uniques__ = (("message_id", "owner"),)
    __indexes__ = (("chat_id", "run_id"), ("created_at", "id"))

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    message_id: Mapped[UUID] = mapped_column(Uuid)
    run_id: Mapped[UUID | None] = mapped_column(Uuid)
    owner: Mapped[str] = mapped_column(Key)
    value: Mapped[float] = mapped_column(Double)
    comment: Mapped[str | None] = mapped_column(PrivateText)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)


@not_arguments
class ChunkMixin(Columns):
    """The journal of live answers: the received chunks of messages that are streaming.

    It has no foreign key: each byte is written for every flush of every stream, and a foreign key
    makes PostgreSQL lock a message for each row of the journal. What deletes messages deletes their
    chunks, too; `repair()` and `chatrecord doctor` find those that were left.
    """

    __chat__: ClassVar[type[ChatColumns] | None] = None

    # The first of the two: an answer's pieces lie together.
    message_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, sort_order=-1)
    seq: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    payload: Mapped[Any] = mapped_column(PrivateJson)


def _chat_of(cls: type) -> type[ChatColumns]:
    declared: type[ChatColumns] | None = getattr(cls, "__chat__", None)
    return declared or _found(ChatColumns, cls)


def _found(mixin: type[Mixin], cls: type) -> type[Mixin]:
    """The class with this mixin that `cls` refers to: the only one, or that of the same chat."""
    classes = list(_classes_with(mixin, cast(type[DeclarativeBase], cls)))
    chat = getattr(cls, "__chat__", None)
    if chat is not None:
        classes = [found for found in classes if getattr(found, "__chat__", None) is chat]
    if len(classes) == 1:
        return classes[0]
    found = ", ".join(each.__name__ for each in classes) or "none"
    msg = (
        f"{cls.__name__} needs one class with {_name_of(mixin)} declared before it on the same "
        f"base (found: {found}). Declare it first, or name its chat: __chat__ = YourChat"
    )
    raise ConfigurationError(msg)


def _reference(model: type) -> ForeignKey:
    return ForeignKey(model.__table__.c.id, ondelete="CASCADE")  # type: ignore[attr-defined]


def _classes_with(mixin: type[Mixin], base: type[DeclarativeBase]) -> Iterator[type[Mixin]]:
    for found in mixin.__subclasses__():
        table = vars(found).get("__table__")
        if isinstance(table, Table) and table.metadata is base.metadata:
            yield found
        yield from _classes_with(found, base)


@dataclass(frozen=True)
class Models(Generic[ChatRow]):
    """The class of each table. `tool_call` and `request` may be `None`: then they are not kept.

    Without `attachment`, files are kept in the messages, as base64. Without `usage_day`, reports
    read all requests. Without `event` and `event_reader` there are no events, without `feedback`
    no feedback.
    """

    chat: type[ChatRow]
    run: type[RunMixin]
    message: type[MessageMixin]
    chunk: type[ChunkMixin]
    tool_call: type[ToolCallMixin] | None = None
    request: type[RequestMixin] | None = None
    attachment: type[AttachmentMixin] | None = None
    usage_day: type[UsageDayMixin] | None = None
    event: type[EventMixin] | None = None
    event_reader: type[EventReaderMixin] | None = None
    feedback: type[FeedbackMixin] | None = None

    def __post_init__(self) -> None:
        if (self.event is None) != (self.event_reader is None):
            missing = "EventReaderMixin" if self.event_reader is None else "EventMixin"
            msg = f"Events need two tables: add a class with {missing}, it takes a line"
            raise ConfigurationError(msg)

    @property
    def _classes(self) -> list[type[Columns]]:
        classes = (getattr(self, field.name) for field in fields(self))
        return [found for found in classes if found is not None]

    @property
    def tables(self) -> list[Table]:
        """The tables of the classes that are there."""
        return [model.__table__ for model in self._classes]  # type: ignore[attr-defined]

    @property
    def later_columns(self) -> list[TableColumn]:
        """The columns that tables of an earlier version lack."""
        return [
            columns[name]
            for model in self._classes
            for columns in [inspect(model).columns]
            for name in sorted(model.__later__)
            if name in columns
        ]

    @classmethod
    def of(cls, base: type[DeclarativeBase]) -> Models[Any]:
        """The classes found on a declarative base of your own, one of each mixin."""
        return Models(
            chat=_one(ChatColumns, base),
            run=_one(RunMixin, base),
            message=_one(MessageMixin, base),
            chunk=_one(ChunkMixin, base),
            tool_call=_one_or_none(ToolCallMixin, base),
            request=_one_or_none(RequestMixin, base),
            attachment=_one_or_none(AttachmentMixin, base),
            usage_day=_one_or_none(UsageDayMixin, base),
            event=_one_or_none(EventMixin, base),
            event_reader=_one_or_none(EventReaderMixin, base),
            feedback=_one_or_none(FeedbackMixin, base),
        )


def _one_or_none(mixin: type[Mixin], base: type[DeclarativeBase]) -> type[Mixin] | None:
    classes = list(_classes_with(mixin, base))
    if len(classes) > 1:
        names = ", ".join(sorted(found.__name__ for found in classes))
        msg = (
            f"{base.__name__} has several classes with {_name_of(mixin)} ({names}): "
            "say which with Models(...)"
        )
        raise ConfigurationError(msg)
    return classes[0] if classes else None


def _one(mixin: type[Mixin], base: type[DeclarativeBase]) -> type[Mixin]:
    found = _one_or_none(mixin, base)
    if found is None:
        msg = f"{base.__name__} has no class with {_name_of(mixin)}: add one, it takes a line"
        raise ConfigurationError(msg)
    return found


def _name_of(mixin: type) -> str:
    return ChatMixin.__name__ if mixin is ChatColumns else mixin.__name__
