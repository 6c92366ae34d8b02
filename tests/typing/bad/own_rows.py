"""Columns and metadata that are wrong, and rows of other tables: errors in the editor."""

from typing import TypedDict

from sqlalchemy.orm import DeclarativeBase, Mapped, MappedAsDataclass

from chatrecord.sqlalchemy import (
    ChatMixin,
    ChunkMixin,
    Database,
    MessageMixin,
    Models,
    RunMixin,
    create_chat,
)
from chatrecord.sqlalchemy.sync import SyncChat
from chatrecord.sqlalchemy.sync import create_chat as create_plain_chat


class Base(MappedAsDataclass, DeclarativeBase, kw_only=True): ...


class HrChat(ChatMixin, Base):
    __tablename__ = "hr_chats"
    user_id: Mapped[int]
    department: Mapped[str | None]


class HrRun(RunMixin, Base):
    __tablename__ = "hr_runs"


class HrMessage(MessageMixin, Base):
    __tablename__ = "hr_messages"


class HrChunk(ChunkMixin, Base):
    __tablename__ = "hr_chunks"


class OtherBase(MappedAsDataclass, DeclarativeBase, kw_only=True): ...


class SalesChat(ChatMixin, OtherBase):
    __tablename__ = "sales_chats"


class HrMetadata(TypedDict):
    team: str


HrModels = Models(chat=HrChat, run=HrRun, message=HrMessage, chunk=HrChunk)
db = Database("sqlite:///hr.db", models=HrModels, metadata_type=HrMetadata)
ready_made = Database("sqlite:///chats.db")


async def misuse() -> None:
    HrChat(user_id="1", department=None)  # refused: arg-type
    HrChat(user_id=1, departmnt=None)  # refused: call-arg
    HrChat(user_id=1)  # refused: call-arg
    HrChat(user_id=1, department=None, next_seq=7)  # refused: call-arg
    await create_chat(db, "m", SalesChat())  # refused: misc
    await create_chat(ready_made, "m", HrChat(user_id=1, department=None))  # refused: misc
    row = HrChat(user_id=1, department=None)
    await create_chat(db, "m", row, departmnt="HR")  # refused: call-overload
    chat = await create_chat(db, "m", row)
    print(chat.row.departmnt)  # refused: attr-defined
    chat.row.department = 7  # refused: assignment
    await chat.update(SalesChat())  # refused: arg-type
    print(chat.metadata["taem"])  # refused: typeddict-item
    await chat.update(metadata={"team": 7})  # refused: arg-type
    await chat.update(metadata={"taem": "IT"})  # refused: arg-type
    await chat.update(title=7)  # refused: arg-type


def plain() -> None:
    chat = create_plain_chat(db, "m", HrChat(user_id=1, department=None))
    print(chat.row.departmnt)  # refused: attr-defined
    other: SyncChat[SalesChat] = chat  # refused: assignment
    print(other)
