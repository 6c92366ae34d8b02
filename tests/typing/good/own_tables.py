"""Tables of one's own: a row is checked by its class, and read as one."""

from collections.abc import Mapping
from typing import Any, assert_type

from pydantic import BaseModel, ConfigDict
from sqlalchemy import ForeignKey
from sqlalchemy.orm import DeclarativeBase, Mapped, MappedAsDataclass, mapped_column
from typing_extensions import TypedDict

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
    load_chat,
    usage,
)
from chatrecord.sqlalchemy.sync import SyncChat
from chatrecord.sqlalchemy.sync import create_chat as create_plain_chat


class Base(MappedAsDataclass, DeclarativeBase, kw_only=True): ...


class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)


class HrChat(ChatMixin, Base):
    __tablename__ = "hr_chats"
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    department: Mapped[str | None] = mapped_column(default=None)


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


class HrMetadata(TypedDict):
    team: str


class HrSettings(BaseModel):
    model_config = ConfigDict(frozen=True)
    team: str


HrModels = Models(chat=HrChat, run=HrRun, message=HrMessage, chunk=HrChunk)
db = Database("sqlite:///hr.db", models=HrModels, keep_requests=False)
typed = Database("sqlite:///hr.db", models=HrModels, metadata_type=HrMetadata)
with_settings = Database("sqlite:///hr.db", metadata_type=HrSettings)
by_base: Database[HrChat] = Database("sqlite:///hr.db", models=Base)
untyped = Database("sqlite:///hr.db", models=Base)


async def by_row() -> None:
    chat = await create_chat(db, "openai:gpt-5.2", HrChat(user_id=1, department="HR"), retries=1)
    assert_type(chat, Chat[HrChat, Mapping[str, Any]])
    assert_type(chat.row.department, str | None)
    chat.row.department = "IT"
    await chat.update(chat.row, title="Travel", metadata={"team": "HR"})
    await (await create_chat(by_base, "m", HrChat(user_id=1))).update(department="HR")
    takes_any(chat)


async def by_keywords() -> None:
    chat = await create_chat(db, "m", user_id=1, department="HR", on_busy="wait")
    loaded = await load_chat(db, "m", chat.id, user_id=1)
    assert_type(loaded.row.user_id, int)
    await create_chat(untyped, "m", user_id=1)
    await usage(untyped, user_id=1)


async def with_metadata() -> None:
    chat = await create_chat(typed, "m", HrChat(user_id=1), metadata=HrMetadata(team="HR"))
    assert_type(chat.metadata, HrMetadata)
    await chat.update(metadata={"team": "IT"})
    settings = await create_chat(with_settings, "m", user_id="u1", metadata=HrSettings(team="HR"))
    assert_type(settings.metadata.team, str)
    await settings.update(metadata=HrSettings(team="IT"))


def plain() -> None:
    chat: SyncChat[HrChat] = create_plain_chat(db, "m", HrChat(user_id=1))
    assert_type(chat.row.user_id, int)
    chat.update(chat.row, llm="m")


def takes_any(chat: Chat) -> None:
    """A chat of any database."""
    print(chat.metadata["team"], chat.title)
