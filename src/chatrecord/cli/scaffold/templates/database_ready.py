"""Where the chats are. The tables are the library's ready-made ones."""

from __future__ import annotations

import os

from chatrecord.sqlalchemy import Database

URL = os.environ.get("DATABASE_URL", "sqlite:///chats.db")


def open_database(url: str = URL) -> Database:
    """The chats at this URL: sqlite://, postgresql://, mysql:// or mariadb://."""
    return Database(url)


async def prepare(db: Database) -> None:
    """Create the tables, or bring them up to date."""
    await db.create_tables()
