"""Timeouts, failovers and isolation that a database's administrator has set cost time, no answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from drivers import DRIVERS, leaves_writers, url_by
from leftovers import Leftovers, leftovers
from sqlalchemy import URL, event, make_url, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from chatrecord.sqlalchemy import Database, create_chat, load_chat
from chatrecord.testing import Script, call, say

pytestmark = leaves_writers


@pytest.fixture
def url(driver: str, request: pytest.FixtureRequest) -> URL:
    return url_by(driver, request)


TABLES = ["llm_tool_calls", "llm_messages", "llm_runs", "llm_requests", "llm_chats"]


def limited(url: str | URL, *statements: str) -> AsyncEngine:
    """An engine whose every connection begins with these statements."""
    engine = create_async_engine(url)

    @event.listens_for(engine.sync_engine, "connect")
    def limit(connection: Any, _record: object) -> None:
        cursor = connection.cursor()
        for statement in statements:
            cursor.execute(statement)
        cursor.close()
        connection.commit()

    return engine


@asynccontextmanager
async def locked(url: URL, table: str) -> AsyncIterator[None]:
    """A table that nobody else may use, as a migration has it."""
    engine = create_async_engine(url)
    async with engine.connect() as connection:
        if url.get_backend_name() == "postgresql":
            await connection.execute(text(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE"))
            yield
            await connection.rollback()
        else:
            await connection.execute(text(f"LOCK TABLES {table} WRITE"))
            yield
            await connection.execute(text("UNLOCK TABLES"))
    await engine.dispose()


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize(
    ("driver", "limit"),
    [
        ("asyncpg", "SET statement_timeout = '200ms'"),
        ("psycopg", "SET lock_timeout = '200ms'"),
        ("asyncmy", "SET SESSION max_statement_time = 0.2, lock_wait_timeout = 1"),
    ],
)
async def test_a_result_outlives_a_timeout_of_the_database(
    url: URL, limit: str, table: str
) -> None:
    engine = limited(url, limit)
    holding: list[asyncio.Task[None]] = []

    async def hold(is_locked: asyncio.Event) -> None:
        async with locked(url, table):
            is_locked.set()
            await asyncio.sleep(0.7)

    async def pay() -> str:
        is_locked = asyncio.Event()
        holding.append(asyncio.create_task(hold(is_locked)))
        await is_locked.wait()
        return "paid, receipt 4711"

    db = Database(engine)
    script = Script([say("Paying. "), call("pay", "c1")], [say("Done.")])
    chat = await create_chat(db, script, tools=[pay])

    assert (await chat.ask("Pay")).text == "Done."

    await asyncio.gather(*holding)
    (row,) = await chat.tool_calls()
    assert (row.status, row.result) == ("complete", "paid, receipt 4711")
    assert "receipt 4711" in str(script.requests[-1])
    assert await leftovers(db) == Leftovers()
    await db.close()
    await engine.dispose()


@pytest.mark.parametrize("driver", ["asyncpg", "psycopg"])
async def test_a_database_that_is_read_only_for_a_while_costs_time(url: URL) -> None:
    """As a standby is, until it is promoted."""
    is_standby = False
    engine = create_async_engine(url)

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Any) -> None:
        if is_standby:
            connection.exec_driver_sql("SET TRANSACTION READ ONLY")

    db = Database(engine)
    chat = await create_chat(db, Script([say(*["word "] * 10, pause=0.05)], [say("on")]))
    asking = asyncio.create_task(chat.ask("Hi!"))
    await asyncio.sleep(0.2)
    is_standby = True
    await asyncio.sleep(0.5)
    second = asyncio.create_task(create_chat(db, Script()))
    await asyncio.sleep(0.3)
    is_standby = False

    assert (await asking).text == "word " * 10
    assert (await load_chat(db, Script(), (await second).id)).title is None
    assert (await chat.ask("And?")).text == "on"
    await db.close()
    await engine.dispose()


@pytest.mark.parametrize("driver", list(DRIVERS))
async def test_serializable_transactions_by_default_work(driver: str, url: URL) -> None:
    how = (
        "SET SESSION TRANSACTION ISOLATION LEVEL SERIALIZABLE"
        if driver == "asyncmy"
        else "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL SERIALIZABLE"
    )
    engine = limited(url, how)
    db = Database(engine)

    async def add(a: int) -> int:
        await asyncio.sleep(0.01)
        return a + 1

    async def talk() -> None:
        script = Script(
            [say("Let me add. "), call("add", a=1), call("add", a=2)], [say("3")], [say("on")]
        )
        chat = await create_chat(db, script, user_id="serial", tools=[add])
        assert (await chat.ask("Add")).text == "3"
        assert [row.result for row in await chat.tool_calls()] == [2, 3]
        assert (await chat.stream("And?")).text == "on"

    await asyncio.gather(*(talk() for _ in range(8)))
    await db.close()
    await engine.dispose()


@pytest.mark.parametrize("driver", ["asyncpg", "psycopg"])
async def test_a_migration_meanwhile_breaks_no_turn(driver: str, own_url: str) -> None:
    """Each connection fails once, with "cached plan must not change result type"."""
    if make_url(own_url).get_backend_name() != "postgresql":
        pytest.skip("only PostgreSQL keeps plans by their result")
    url = make_url(own_url).set(drivername=DRIVERS[driver])
    async with Database(url) as db:
        chat = await create_chat(db, Script(*[[say("yes")]] * 10))
        for _ in range(7):  # psycopg prepares what it has sent five times
            await chat.ask("Well?")
            await load_chat(db, Script(), chat.id)
        async with db.engine.begin() as connection:
            await connection.execute(text("ALTER TABLE llm_messages ALTER text TYPE varchar(9999)"))
            await connection.execute(text("ALTER TABLE llm_chats ALTER title TYPE text"))

        assert (await chat.ask("And now?")).text == "yes"
        assert len(await chat.messages(limit=99)) == 16
