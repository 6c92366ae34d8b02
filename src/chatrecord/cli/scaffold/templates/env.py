"""Alembic runs this file for each of its commands."""

from __future__ import annotations

import asyncio

from alembic import context
from chatrecord.alembic import include_object, render_item
from sqlalchemy import Connection

from database import open_database
from models import Base


def migrate(connection: Connection) -> None:
    """Run the command on this connection."""
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_item=render_item,
        include_object=include_object,
        render_as_batch=True,  # SQLite changes a table by copying it
    )
    with context.begin_transaction():
        context.run_migrations()


async def connect() -> None:
    """Open the database of DATABASE_URL, and run the command there."""
    async with open_database() as db, db.engine.begin() as connection:
        await connection.run_sync(migrate)


connection = context.config.attributes.get("connection")
if connection is None:
    asyncio.run(connect())
else:
    migrate(connection)
