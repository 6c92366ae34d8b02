"""The tables of chats, as classes of your own. Add columns and foreign keys as you need them."""

from __future__ import annotations

from chatrecord.sqlalchemy import (
    AttachmentMixin,
    ChatMixin,
    ChunkMixin,
    EventMixin,
    EventReaderMixin,
    FeedbackMixin,
    MessageMixin,
    RequestMixin,
    RunMixin,
    ToolCallMixin,
    UsageDayMixin,
)
from sqlalchemy import String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """The base of all tables. An application that has one uses its own."""


class Chat(ChatMixin, Base):
    """A chat, and whose it is."""

    __tablename__ = "chats"

    user_id: Mapped[str] = mapped_column(String(64), index=True)
    department: Mapped[str | None] = mapped_column(String(100))


class Run(RunMixin, Base):
    """From a question to the end of its answer."""

    __tablename__ = "chat_runs"


class Message(MessageMixin, Base):
    """A question, an answer, or the results of tools."""

    __tablename__ = "chat_messages"


class ToolCall(ToolCallMixin, Base):
    """A call of a tool, with its arguments and its result."""

    __tablename__ = "chat_tool_calls"


class Request(RequestMixin, Base):
    """A request to a provider, with its tokens and its cost."""

    __tablename__ = "chat_requests"


class Chunk(ChunkMixin, Base):
    """What has arrived of an answer that is being given."""

    __tablename__ = "chat_chunks"


class Attachment(AttachmentMixin, Base):
    """A file of a chat."""

    __tablename__ = "chat_attachments"


class UsageDay(UsageDayMixin, Base):
    """What the requests of a past day have used, added up."""

    __tablename__ = "chat_usage_days"


class Event(EventMixin, Base):
    """What has happened to a chat, for other programs."""

    __tablename__ = "chat_events"


class EventReader(EventReaderMixin, Base):
    """How far each reader of the events has come."""

    __tablename__ = "chat_event_readers"


class Feedback(FeedbackMixin, Base):
    """What somebody thinks of a message."""

    __tablename__ = "chat_feedback"
