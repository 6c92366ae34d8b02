"""A team's own schema: its base, its users, its names and columns."""

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from chatrecord.sqlalchemy import (
    ChatMixin,
    ChunkMixin,
    MessageMixin,
    RequestMixin,
    RunMixin,
    ToolCallMixin,
)


class Base(DeclarativeBase):
    """The team's base."""


class User(Base):
    __tablename__ = "staff"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(50))


class HrChat(ChatMixin, Base):
    __tablename__ = "hr_chats"
    user_id: Mapped[int] = mapped_column(ForeignKey("staff.id", ondelete="CASCADE"), index=True)
    department: Mapped[str | None] = mapped_column("dept", String(50))
    priority: Mapped[int] = mapped_column(default=3)


class HrRun(RunMixin, Base):
    __tablename__ = "hr_runs"


class HrMessage(MessageMixin, Base):
    __tablename__ = "hr_messages"
    __table_args__ = {"comment": "what people and models said"}  # noqa: RUF012
    text: Mapped[str] = mapped_column("body", String(4000))
    starred: Mapped[bool] = mapped_column(default=False)


class HrToolCall(ToolCallMixin, Base):
    __tablename__ = "hr_tool_calls"


class HrRequest(RequestMixin, Base):
    __tablename__ = "hr_requests"


class HrChunk(ChunkMixin, Base):
    __tablename__ = "hr_chunks"
