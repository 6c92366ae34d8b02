"""`chatrecord restore ID`: bring back a chat that was deleted for a time."""

from __future__ import annotations

import asyncio
from argparse import Namespace

from chatrecord.records import ChatRecord
from chatrecord.sqlalchemy import restore_chat

from .database import existing_database
from .reference import deleted_chat_of, scope_of, short
from .screen import Screen


def run(arguments: Namespace) -> int:
    """Restore the chat, and say which it was."""
    chat = asyncio.run(_restored(arguments))
    Screen().note(f"Chat {short(chat.id)} is restored")
    return 0


async def _restored(arguments: Namespace) -> ChatRecord:
    async with existing_database(arguments.db) as db:
        chat = await deleted_chat_of(db, arguments.chat, arguments.user)
        await restore_chat(db, chat.id, **scope_of(arguments.user))
    return chat
