"""`chatrecord import < chat.jsonl`: a chat that was exported, from standard input."""

from __future__ import annotations

import asyncio
import sys
from argparse import Namespace

from chatrecord.records import ChatRecord
from chatrecord.sqlalchemy import import_chat

from .database import open_database
from .reference import scope_of
from .screen import Screen


def run(arguments: Namespace) -> int:
    """Import it, and print its id."""
    stored = asyncio.run(_imported(arguments))
    Screen().note("Imported. Continue with:")
    print(stored.id)
    return 0


async def _imported(arguments: Namespace) -> ChatRecord:
    lines = sys.stdin.buffer.readlines()
    db = await open_database(arguments.db)
    try:
        return await import_chat(db, lines, new_ids=arguments.new_ids, **scope_of(arguments.user))
    finally:
        await db.close()
