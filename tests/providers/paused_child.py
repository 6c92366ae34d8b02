"""A process that asks a provider which pauses: `python paused_child.py ADDRESS DATABASE CHAT`."""

from __future__ import annotations

import asyncio
import sys
from uuid import UUID

from chatrecord.sqlalchemy import Database
from providers.clients import model_clients
from providers.conftest import ANTHROPIC
from providers.test_paused_answers import ask


async def main(address: str, url: str, chat_id: str) -> None:
    async with Database(url) as db, model_clients(address) as connect:
        await ask(db, connect(ANTHROPIC), UUID(chat_id))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
