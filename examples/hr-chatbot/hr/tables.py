"""The tables: people and documents of this application, and the chats of chatrecord among them."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from chatrecord.sqlalchemy import (
    AttachmentMixin,
    ChatMixin,
    ChunkMixin,
    MessageMixin,
    RequestMixin,
    RunMixin,
    ToolCallMixin,
    UsageDayMixin,
)
from chatrecord.sqlalchemy.types import UtcDateTime

from .vectors import Embedding, Vector


class Base(DeclarativeBase):
    """One base for all of them."""


class User(Base):
    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    role: Mapped[str]  # employee, hr or administrator
    password: Mapped[str]  # as `passwords` hashes it
    vacation_days: Mapped[int]  # a year


class SignIn(Base):
    __tablename__ = "sign_ins"

    token_hash: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)

    user: Mapped[User] = relationship(lazy="joined")


class TimeOff(Base):
    __tablename__ = "time_off"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    first_day: Mapped[date]
    last_day: Mapped[date]
    days: Mapped[int]  # working days
    reason: Mapped[str]


class Document(Base):
    __tablename__ = "documents"

    name: Mapped[str] = mapped_column(primary_key=True)  # its file's name
    title: Mapped[str]
    kind: Mapped[str]  # md, txt or pdf
    origin: Mapped[str]  # handbook or upload
    digest: Mapped[str]  # of its content, and of how it was ingested


class Passage(Base):
    __tablename__ = "passages"

    id: Mapped[str] = mapped_column(primary_key=True)  # follows from what it says, and where
    document: Mapped[str] = mapped_column(ForeignKey("documents.name"), index=True)
    place: Mapped[int]  # among the passages of its document
    title: Mapped[str]  # of its document
    heading: Mapped[str]
    page: Mapped[int | None]
    text: Mapped[str]
    embedding: Mapped[Vector] = mapped_column(Embedding, deferred=True)


class HrChat(ChatMixin, Base):
    __tablename__ = "hr_chats"
    __indexes__ = (*ChatMixin.__indexes__, ("user_id", "updated_at", "id"))

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))


class HrRun(RunMixin, Base):
    __tablename__ = "hr_runs"


class HrMessage(MessageMixin, Base):
    __tablename__ = "hr_messages"


class HrToolCall(ToolCallMixin, Base):
    __tablename__ = "hr_tool_calls"


class HrRequest(RequestMixin, Base):
    __tablename__ = "hr_requests"


class HrAttachment(AttachmentMixin, Base):
    __tablename__ = "hr_attachments"


class HrUsageDay(UsageDayMixin, Base):
    __tablename__ = "hr_usage_days"


class HrChunk(ChunkMixin, Base):
    __tablename__ = "hr_chunks"
