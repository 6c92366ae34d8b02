"""Misuse that a type checker refuses."""

from typing import TypedDict

from typing_extensions import Unpack

from chatrecord import Chat, Limits, Reply
from chatrecord.sqlalchemy import Database, create_chat, list_chats, load_chat
from chatrecord.sqlalchemy.sync import create_chat as create_plain_chat

db = Database("sqlite:///chats.db")


class HrColumns(TypedDict, total=False):
    department: str


async def create_hr_chat(**columns: Unpack[HrColumns]) -> Chat:
    raise NotImplementedError


async def misuse() -> None:
    chat = await create_chat(db, "openai:gpt-5.2", departmnt="HR")  # refused: arg-type
    await create_chat(db, "openai:gpt-5.2", user_id=7)  # refused: arg-type
    await create_chat(db, 42)  # refused: call-overload
    await create_chat(db, "m", on_disconnect="maybe")  # refused: arg-type
    await load_chat(db, "m", "id", title="x")  # refused: arg-type
    await list_chats(db, owner="u1")  # refused: arg-type
    await create_hr_chat(departmnt="HR")  # refused: call-arg
    Limits(10)  # refused: call-arg
    Limits(cost=0.5)  # refused: arg-type
    reply = await create_chat(db, "m")
    wrong: Reply[str] = await reply.ask("n", output_type=int)  # refused: arg-type
    async for chunk in reply.stream("x"):
        chunk.text = ""  # refused: misc
    reply.record.title = "x"  # refused: misc
    print(chat, wrong)


def plain() -> None:
    create_plain_chat(db, "m", departmnt="HR")  # refused: arg-type
