"""Where the chats are. The tables are those of models.py."""

from __future__ import annotations

import os

from chatrecord.sqlalchemy import Database

from models import Base

URL = os.environ.get("DATABASE_URL", "sqlite:///chats.db")


def open_database(url: str = URL) -> Database:
    """The chats at this URL: sqlite://, postgresql://, mysql:// or mariadb://."""
    return Database(url, models=Base)


async def prepare(db: Database) -> None:
    """Create the tables, or bring them up to date."""
    await db.create_tables()
