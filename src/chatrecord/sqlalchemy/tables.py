"""The ready-made tables, for applications without their own."""

from __future__ import annotations

from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from chatrecord.sqlalchemy.models.event_mixins import EventMixin, EventReaderMixin
from chatrecord.sqlalchemy.models.mixins import (
    AttachmentMixin,
    ChatColumns,
    ChunkMixin,
    FeedbackMixin,
    MessageMixin,
    Models,
    RequestMixin,
    RunMixin,
    ToolCallMixin,
)
from chatrecord.sqlalchemy.models.usage_day_mixin import UsageDayMixin
from chatrecord.sqlalchemy.types import Key


class Base(DeclarativeBase):
    """The base of the ready-made tables: `Base.metadata` is what a migration tool wants to see."""


class Chat(ChatColumns, Base):
    """`llm_chats`: the mixin's columns and an owner."""

    __tablename__ = "llm_chats"
    __indexes__ = (*ChatColumns.__indexes__, ("user_id", "updated_at", "id"))
    user_id: Mapped[str | None] = mapped_column(Key)


class Run(RunMixin, Base):
    """`llm_runs`"""

    __tablename__ = "llm_runs"


class Message(MessageMixin, Base):
    """`llm_messages`"""

    __tablename__ = "llm_messages"


class ToolCall(ToolCallMixin, Base):
    """`llm_tool_calls`"""

    __tablename__ = "llm_tool_calls"


class Request(RequestMixin, Base):
    """`llm_requests`"""

    __tablename__ = "llm_requests"


class Chunk(ChunkMixin, Base):
    """`llm_chunks`"""

    __tablename__ = "llm_chunks"


class Attachment(AttachmentMixin, Base):
    """`llm_attachments`"""

    __tablename__ = "llm_attachments"


class UsageDay(UsageDayMixin, Base):
    """`llm_usage_days`"""

    __tablename__ = "llm_usage_days"


class Event(EventMixin, Base):
    """`llm_events`"""

    __tablename__ = "llm_events"


class EventReader(EventReaderMixin, Base):
    """`llm_event_readers`"""

    __tablename__ = "llm_event_readers"


class Feedback(FeedbackMixin, Base):
    """`llm_feedback`"""

    __tablename__ = "llm_feedback"


READY_MADE = Models(
    chat=Chat,
    run=Run,
    message=Message,
    chunk=Chunk,
    tool_call=ToolCall,
    request=Request,
    attachment=Attachment,
    usage_day=UsageDay,
    event=Event,
    event_reader=EventReader,
    feedback=Feedback,
)
