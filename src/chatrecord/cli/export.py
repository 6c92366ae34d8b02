"""`chatrecord export ID`: a chat as lines of JSON, on standard output."""

from __future__ import annotations

import asyncio
from argparse import Namespace

from chatrecord.sqlalchemy import export_chat

from .database import existing_database
from .reference import chat_of


def run(arguments: Namespace) -> int:
    """Print the lines."""
    asyncio.run(_print(arguments))
    return 0


async def _print(arguments: Namespace) -> None:
    async with existing_database(arguments.db) as db:
        chat = await chat_of(db, arguments.chat, arguments.user)
        async for line in export_chat(db, chat.id):
            print(line)
