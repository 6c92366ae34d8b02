"""`chatrecord migrate`: bring the tables of any version to what this one needs."""

from __future__ import annotations

import asyncio
from argparse import Namespace
from collections.abc import Sequence

from chatrecord.alembic import Migration, migrate, migration_sql
from chatrecord.errors import SchemaDifference
from chatrecord.sqlalchemy import Database

from .check import differences_of
from .database import untouched_database, url_of
from .plain_text import note, plain


def run(arguments: Namespace) -> int:
    """Migrate, or print how; 1 if the tables differ from the models even so."""
    if arguments.sql:
        print(asyncio.run(_printed(arguments.db)), end="")
        return 0
    migration, differences = asyncio.run(_migrated(arguments.db, arguments.search))
    for difference in differences:
        print(plain(str(difference)))
    note(_summary(migration))
    if arguments.search:
        note(f"Chats can be searched: the language of the index is {arguments.search}")
    if differences:
        note("These differences come from no earlier version: correct them yourself")
    return 1 if differences else 0


async def _printed(place: str) -> str:
    async with untouched_database(place) as db:
        return await migration_sql(db)


async def _migrated(place: str, search: str | None) -> tuple[Migration, Sequence[SchemaDifference]]:
    async with Database(url_of(place)) as db:
        migration = await migrate(db)
        if search:
            await db.create_search(language=search)
        return migration, await differences_of(db)


def _summary(migration: Migration) -> str:
    if migration.before is None:
        return f"The tables were created: revision {migration.after}"
    if migration.before == migration.after:
        return f"The tables were at the newest revision already: {migration.after}"
    return f"The tables were migrated from revision {migration.before} to {migration.after}"
