"""What the examples share: the database, the LLM of each chat, and a small command to ask with."""

from __future__ import annotations

import os
import sys
from collections.abc import Awaitable, Callable
from uuid import UUID

from chatrecord.records import ChatRecord
from chatrecord.sqlalchemy import Database, create_chat

URL = os.environ.get("CHATS_URL", "postgresql+psycopg://localhost/chats")
QUEUE = os.environ.get("CHATS_QUEUE", "chats")
LLM = os.environ.get("CHAT_LLM", "test")  # such as openai:gpt-5.2


def search_handbook(query: str) -> str:  # noqa: ARG001 - the page is short here
    """Search the employee handbook."""
    return "Thirty days of paid leave a year."


def llm_for(chat: ChatRecord) -> object:
    """Which LLM a chat gets, and with what: by its model, agent, metadata and columns."""
    return chat.metadata.get("llm") or LLM, {"tools": [search_handbook]}


async def ask(db: Database, dispatch: Callable[[UUID], Awaitable[object]]) -> None:
    """What a web process does: store the question, hand it over, show the answer as it comes."""
    await db.create_tables()
    chat = await create_chat(db, LLM)
    run_id = await chat.submit(" ".join(sys.argv[2:]) or "How many days of leave do I have?")
    await dispatch(run_id)
    async for chunk in chat.follow(run_id):
        print(chunk.text, end="", flush=True)
    print()
