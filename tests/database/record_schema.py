"""Records the newest schema, and chats that it stores, for the tests of later versions.

    python tests/database/record_schema.py

Run it when a revision is complete: `schemas/` then has its statements for each database, and the
rows of some chats. They are never changed again. It needs PostgreSQL and MariaDB, as the tests do.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import sys
from base64 import b64encode
from contextlib import closing, suppress
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

from sqlalchemy import URL, create_engine, select
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.schema import CreateIndex, CreateTable

from chatrecord.errors import ProviderError
from chatrecord.sqlalchemy import Database, create_chat, delete_chat
from chatrecord.sqlalchemy.schema.revision import REVISION
from chatrecord.sqlalchemy.tables import Base
from chatrecord.testing import Script, call, fail, hang, say, think

sys.path.append(str(Path(__file__).parents[1]))

from servers import mariadb_server, postgres_server

SCHEMAS = Path(__file__).parent / "schemas"


def days_left(name: str) -> dict[str, object]:
    return {"name": name, "days": 12.5, "note": "über \U0001f334", "big": 12345678901234567890}


def broken(x: int) -> int:
    return x


async def record(folder: Path) -> None:
    live, copy = folder / "live.db", folder / "copy.db"
    await store_chats(live, copy, folder / "policy.txt")
    rows = json.dumps(rows_of(copy), indent=1)
    (SCHEMAS / f"{REVISION}.json").write_text(f"{rows}\n")
    with postgres_server() as postgres:
        mariadb = mariadb_server()
        assert mariadb is not None, "MariaDB is needed"
        for name, url in (
            ("sqlite", URL.create("sqlite+aiosqlite")),
            ("postgresql", postgres.set(database="postgres")),
            ("mariadb", mariadb.set(database="mysql")),
        ):
            (SCHEMAS / f"{REVISION}.{name}.sql").write_text(await statements_for(url))


async def store_chats(live: Path, copy: Path, file: Path) -> None:
    """Chats of all kinds, and a copy of their database while an answer streams."""
    async with Database(f"sqlite:///{live}") as db:
        await db.create_tables()
        await long_chat(db, file)
        await deleted_chat(db)
        await live_chat(db, lambda: copy_database(live, copy))


async def long_chat(db: Database, file: Path) -> None:
    script = Script(
        [
            think("The tool knows.", signature="c2lnbmF0dXJl"),
            say("Let me look. "),
            call("days_left", "call_1", name="Ada"),
        ],
        [say("You have ", "12.5 days. \U0001f334\x00")],
        [say("A part of "), fail(ConnectionError("cut"))],
        [call("broken", "call_2", arguments='{"x": "no number"}')],
        [say("That tool refuses.")],
        [say("It says thirty days.")],
    )
    chat = await create_chat(
        db,
        script,
        user_id="ada",
        title="Holidays",
        instructions="Be brief.",
        metadata={"team": "HR", "floor": 2},
        tools=[days_left, broken],
    )
    await chat.ask("How many days do I have? \u202eabc", idempotency_key="first")
    with suppress(ProviderError):
        await chat.ask("And next year?")
    await chat.ask("Try the other tool")
    await asyncio.to_thread(file.write_text, "Thirty days a year.")
    await chat.ask("What does it say?", attachments=[file])


async def deleted_chat(db: Database) -> None:
    chat = await create_chat(db, Script([say("Audited.")]), user_id="bob")
    await chat.ask("Who pays?")
    await delete_chat(db, chat.id, audit="keep")


async def live_chat(db: Database, meanwhile: Any) -> None:
    script = Script([say("Half of ", "an answer"), hang()])
    chat = await create_chat(db, script, user_id="bob", metadata={"live": True})
    async for chunk in chat.stream("Tell me everything"):
        if "an answer" in chunk.text:
            break
    meanwhile()
    await chat.stop()


def copy_database(live: Path, copy: Path) -> None:
    with closing(sqlite3.connect(live)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)


def rows_of(database: Path) -> dict[str, list[dict[str, object]]]:
    engine = create_engine(f"sqlite:///{database}")
    with engine.connect() as connection:
        return {
            table.name: [
                {name: plain(value) for name, value in row.items() if value is not None}
                for row in connection.execute(select(table)).mappings()
            ]
            for table in Base.metadata.sorted_tables
        }


def plain(value: object) -> object:
    if isinstance(value, UUID | Decimal):
        return str(value)
    if isinstance(value, datetime):
        return value.isoformat()
    return b64encode(value).decode() if isinstance(value, bytes) else value


async def statements_for(url: URL) -> str:
    engine = create_async_engine(url)
    async with engine.connect():
        pass  # now its dialect knows the server
    made: list[CreateTable | CreateIndex] = []
    for table in Base.metadata.sorted_tables:
        by_name = sorted(table.indexes, key=lambda index: str(index.name))
        made += [CreateTable(table), *(CreateIndex(index) for index in by_name)]
    written = [str(each.compile(dialect=engine.dialect)).strip() for each in made]
    await engine.dispose()
    lines = "\n\n".join(f"{each};" for each in written).replace("\t", "    ").splitlines()
    return "".join(f"{line.rstrip()}\n" for line in lines)


if __name__ == "__main__":
    with TemporaryDirectory() as folder:
        asyncio.run(record(Path(folder)))
