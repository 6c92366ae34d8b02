"""A chat in the terminal: `python main.py "What is a chat record?"`."""

from __future__ import annotations

import asyncio
import os
import sys

from chatrecord.sqlalchemy import Database, create_chat, list_chats, load_chat

from database import open_database, prepare

LLM = os.environ.get("CHAT_LLM", "test")
"""Such as openai:gpt-5.2, with OPENAI_API_KEY. "test" gives the same answer to everything."""


async def ask(db: Database, question: str, user_id: str, llm: object = LLM) -> str:
    """Ask in the user's last chat, or in their first, and print the answer while it streams."""
    found = await list_chats(db, user_id=user_id, limit=1)
    if found:
        chat = await load_chat(db, llm, found[0].id, user_id=user_id)
    else:
        chat = await create_chat(db, llm, user_id=user_id)
    async with chat.stream(question) as stream:
        async for chunk in stream:
            print(chunk.text, end="", flush=True)
    print()
    return stream.reply.text


async def main(question: str) -> None:
    """Ask one question."""
    async with open_database() as db:
        await prepare(db)
        await ask(db, question, user_id=os.environ.get("USER", "me"))


if __name__ == "__main__":
    asyncio.run(main(" ".join(sys.argv[1:]) or "Hello?"))
