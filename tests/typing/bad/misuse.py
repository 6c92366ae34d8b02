"""Misuse that a type checker refuses."""

from chatrecord import Limits, Reply
from chatrecord.sqlalchemy import Database, create_chat, list_chats, load_chat
from chatrecord.sqlalchemy.sync import create_chat as create_plain_chat

db = Database("sqlite:///chats.db")


async def misuse() -> None:
    chat = await create_chat(db, "openai:gpt-5.2", departmnt="HR")  # refused: type-var
    await create_chat(db, "openai:gpt-5.2", user_id=7)  # refused: type-var
    await create_chat(db, 42)  # refused: call-overload
    await create_chat(db, "m", on_disconnect="maybe")  # refused: type-var
    await load_chat(db, "m", "id", title="x")  # refused: type-var
    await list_chats(db, owner="u1")  # refused: type-var
    Limits(10)  # refused: call-arg
    Limits(cost=0.5)  # refused: arg-type
    reply = await create_chat(db, "m")
    wrong: Reply[str] = await reply.ask("n", output_type=int)  # refused: arg-type
    async for chunk in reply.stream("x"):
        chunk.text = ""  # refused: misc
    reply.record.title = "x"  # refused: misc
    print(chat, wrong)


def plain() -> None:
    create_plain_chat(db, "m", departmnt="HR")  # refused: type-var
