"""Where the chats are. The tables are those of models.py, and migrations/ creates them."""

from __future__ import annotations

import os
from pathlib import Path

from alembic import command
from alembic.config import Config
from chatrecord.sqlalchemy import Database
from sqlalchemy import Connection

from models import Base

URL = os.environ.get("DATABASE_URL", "sqlite:///chats.db")


def open_database(url: str = URL) -> Database:
    """The chats at this URL: sqlite://, postgresql://, mysql:// or mariadb://."""
    return Database(url, models=Base)


async def prepare(db: Database) -> None:
    """Bring the tables up to date, as `alembic upgrade head` does.

    With several processes, leave this out, and run that command before they start.
    """
    async with db.engine.begin() as connection:
        await connection.run_sync(_upgrade)


def _upgrade(connection: Connection) -> None:
    config = Config(Path(__file__).with_name("alembic.ini"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
