"""`chatrecord export`: a chat as lines of JSON, or everything of an owner as a folder of them."""

from __future__ import annotations

import asyncio
from argparse import Namespace

from chatrecord.errors import ConfigurationError
from chatrecord.sqlalchemy import export_chat
from chatrecord.sqlalchemy.owners import export_owner

from .database import existing_database
from .plain_text import note
from .reference import chat_of, scope_of


def run(arguments: Namespace) -> int:
    """Print the lines of the chat, or write the folder."""
    if (arguments.chat is None) == (arguments.owner is None):
        msg = "Name a chat to print, or an --owner with a folder: export --owner ann --to ann/"
        raise ConfigurationError(msg)
    if arguments.owner is None:
        asyncio.run(_print(arguments))
        return 0
    if arguments.to is None:
        msg = "Everything of an owner goes to a folder: --to FOLDER"
        raise ConfigurationError(msg)
    exported = asyncio.run(_write(arguments))
    note(f"{exported:,} {'chat' if exported == 1 else 'chats'} exported to {arguments.to}")
    return 0


async def _print(arguments: Namespace) -> None:
    async with existing_database(arguments.db) as db:
        chat = await chat_of(db, arguments.chat, arguments.user)
        async for line in export_chat(db, chat.id):
            print(line)


async def _write(arguments: Namespace) -> int:
    async with existing_database(arguments.db) as db:
        return await export_owner(db, arguments.to, **scope_of(arguments.owner))
