"""The synchronous door."""

from chatrecord.sqlalchemy import Database
from chatrecord.sqlalchemy.sync import SyncChat, create_chat, list_chats, wait


def use() -> str:
    db = Database("sqlite:///chats.db")
    wait(db.create_tables())
    chat: SyncChat = create_chat(db, "openai:gpt-5.2", user_id="u1")
    with chat.stream("hello") as stream:
        for chunk in stream:
            print(chunk.text)
    total: int = chat.ask("a number", output_type=int).output
    return f"{stream.reply.text} {total} {len(list_chats(db, user_id='u1'))}"
