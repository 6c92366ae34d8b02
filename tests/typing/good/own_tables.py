"""Tables of one's own, with columns that a two-line wrapper makes known to the type checker."""

from typing import TypedDict

from sqlalchemy import ForeignKey
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from typing_extensions import Unpack

from chatrecord import Chat
from chatrecord.sqlalchemy import (
    ChatMixin,
    ChunkMixin,
    Database,
    MessageMixin,
    Models,
    RequestMixin,
    RunMixin,
    ToolCallMixin,
    create_chat,
)


class Base(DeclarativeBase): ...


class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)


class HrChat(ChatMixin, Base):
    __tablename__ = "hr_chats"
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    department: Mapped[str | None]


class HrRun(RunMixin, Base):
    __tablename__ = "hr_runs"


class HrMessage(MessageMixin, Base):
    __tablename__ = "hr_messages"


class HrToolCall(ToolCallMixin, Base):
    __tablename__ = "hr_tool_calls"


class HrRequest(RequestMixin, Base):
    __tablename__ = "hr_requests"


class HrChunk(ChunkMixin, Base):
    __tablename__ = "hr_chunks"


class HrColumns(TypedDict, total=False):
    user_id: int
    department: str | None


named = Models(chat=HrChat, run=HrRun, message=HrMessage, chunk=HrChunk)
smaller = Database("sqlite:///hr.db", models=named, keep_requests=False)
db = Database("sqlite:///hr.db", models=Base)


async def create_hr_chat(**columns: Unpack[HrColumns]) -> Chat:
    return await create_chat(db, "openai:gpt-5.2", **columns)


async def use() -> None:
    await create_hr_chat(user_id=1, department="Engineering")
