"""A disk that is full, and a database that may only be read: a clear error, and then on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from drivers import TERMINATE
from leftovers import Leftovers, leftovers
from sqlalchemy import make_url
from sqlalchemy.event import listen
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import create_async_engine
from talk import Talk

from chatrecord import Chat
from chatrecord.errors import DatabaseFailed, RunError
from chatrecord.sqlalchemy import Database, create_chat, load_chat
from chatrecord.testing import Script, say
from chatrecord.testing.look import until

PATIENCE, LEASE = timedelta(seconds=2.5), timedelta(seconds=6)


def sqlite(path: Path) -> tuple[Database, list[str]]:
    """A file of its own, and what its connections are told whenever one is taken."""
    db = Database(f"sqlite+aiosqlite:///{path}", patience=PATIENCE, lease=LEASE)
    told: list[str] = []

    def tell(connection: Any, *_: object) -> None:
        for pragma in told:
            cursor = connection.cursor()
            cursor.execute(f"PRAGMA {pragma}")
            cursor.close()

    listen(db.engine.sync_engine, "checkout", tell)
    return db, told


async def fails_and_goes_on(db: Database, fill: Callable[[], Any], free: Callable[[], Any]) -> None:
    """A live answer, a question, then room again."""
    idle = await create_chat(db, Script([say("I am here.")], [say("I am here.")]))
    talk = Talk([f"<{n} ünï🙂>" * 50 for n in range(3000)], 0.01)
    talking = asyncio.create_task(talk.hold(db))
    await talk.begun.wait()
    await asyncio.sleep(0.3)

    await fill()
    with pytest.raises((DatabaseFailed, RunError), match=r"full|readonly|read-only"):
        await idle.ask("Are you there?")  # whose first rows may just fit
    with pytest.raises(DatabaseFailed, match=r"(full|readonly|read-only).*Check the database"):
        await talking
    shown = talk.shown
    assert shown
    await free()

    assert talk.chat is not None
    await until(talk.is_idle)
    stored = await talk.stored()
    assert stored.startswith(shown)
    assert talk.whole.startswith(stored)
    again = await load_chat(db, Script([say("On we go.")]), talk.chat.id)
    assert (await again.ask("And now?")).text == "On we go."
    await until(lambda: _is_idle(idle))
    assert (await idle.ask("Are you there?")).text == "I am here."
    assert await leftovers(db) == Leftovers()


async def _is_idle(chat: Chat) -> bool:
    return await chat.active_run() is None


async def test_a_full_disk_is_reported_and_the_chat_continues_when_there_is_room(
    tmp_path: Path,
) -> None:
    db, told = sqlite(tmp_path / "chats.db")
    async with db:
        await db.create_tables()

        async def fill() -> None:
            async with db.engine.begin() as connection:
                await connection.exec_driver_sql("CREATE TABLE ballast (it BLOB)")
                pages = (await connection.exec_driver_sql("PRAGMA page_count")).scalar_one()
            told.append(f"max_page_count={pages}")
            with pytest.raises(OperationalError, match="full"):
                while True:
                    async with db.engine.begin() as connection:
                        await connection.exec_driver_sql("INSERT INTO ballast VALUES (zeroblob(9))")

        async def free() -> None:
            told[:] = ["max_page_count=1000000"]

        await fails_and_goes_on(db, fill, free)


@pytest.mark.slow
async def test_a_read_only_file_is_reported_and_the_chat_continues_afterwards(
    tmp_path: Path,
) -> None:
    db, told = sqlite(tmp_path / "chats.db")
    async with db:
        await db.create_tables()

        async def fill() -> None:
            told.append("query_only=ON")

        async def free() -> None:
            told[:] = ["query_only=OFF"]

        await fails_and_goes_on(db, fill, free)


async def test_a_read_only_server_is_reported_and_the_chat_continues_afterwards(
    postgresql_url: str,
) -> None:
    name = make_url(postgresql_url).database
    change = f"ALTER DATABASE {name} "
    async with (
        administrator(postgresql_url) as do,
        Database(postgresql_url, patience=PATIENCE, lease=LEASE) as db,
    ):

        async def fill() -> None:
            await do(change + "SET default_transaction_read_only = on", TERMINATE)

        async def free() -> None:
            await do(change + "RESET default_transaction_read_only", TERMINATE)

        try:
            await fails_and_goes_on(db, fill, free)
        finally:
            await free()


@asynccontextmanager
async def administrator(url: str) -> AsyncIterator[Callable[..., Any]]:
    """Does what only an administrator does."""
    engine = create_async_engine(url, isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        await connection.exec_driver_sql("SET default_transaction_read_only = off")

        async def do(*statements: str) -> None:
            for statement in statements:
                await connection.exec_driver_sql(statement)

        yield do
    await engine.dispose()


async def test_a_file_opened_for_reading_is_read_and_nothing_is_begun(tmp_path: Path) -> None:
    path = tmp_path / "chats.db"
    async with Database(f"sqlite+aiosqlite:///{path}") as db:
        await db.create_tables()
        chat = await create_chat(db, Script([say("written")]))
        await chat.ask("Write")

    async with Database(f"sqlite+aiosqlite:///file:{path}?mode=ro&uri=true") as db:
        chat = await load_chat(db, Script([say("never")]), chat.id)
        assert [message.text for message in await chat.messages()] == ["Write", "written"]
        with pytest.raises(DatabaseFailed, match="readonly"):
            await chat.ask("Write more")
        assert len(await chat.messages()) == 2
