"""SQLite in memory has one connection for everybody: transactions take turns on it."""

from __future__ import annotations

import asyncio
import sqlite3
import types
from collections.abc import AsyncIterator, Callable, Coroutine, Generator
from contextlib import suppress
from functools import partial
from itertools import count, product
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiosqlite
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool, NullPool, StaticPool

from chatrecord.errors import ConfigurationError
from chatrecord.sqlalchemy import Database, create_chat, export_chat, import_chat
from chatrecord.testing import Script, call, say
from chatrecord.testing.conformance import Conformance

LONG_STATEMENT = text(
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 2000000)"
    " SELECT i FROM n WHERE i > 1500000"
)
"""It has rows left to read when it is cancelled, and holds its transaction open by them."""


def default() -> AsyncEngine:
    return create_async_engine("sqlite+aiosqlite://")


def file_with_one_connection(folder: Path) -> AsyncEngine:
    return create_async_engine(f"sqlite+aiosqlite:///{folder / 'a.db'}", poolclass=StaticPool)


def one_in_a_queue() -> AsyncEngine:
    return create_async_engine(
        "sqlite+aiosqlite:///:memory:",
        poolclass=AsyncAdaptedQueuePool,
        pool_size=1,
        max_overflow=0,
    )


def shared_cache() -> AsyncEngine:
    name = f"file:{uuid4().hex}?mode=memory&cache=shared&uri=true"
    return create_async_engine(f"sqlite+aiosqlite:///{name}", poolclass=AsyncAdaptedQueuePool)


@pytest.fixture(params=["default", "file", "queue", "shared cache", "URL", "URL of a shared cache"])
async def one_connection(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    """A database that has one connection, by an engine of the user's or by a URL."""
    makers: dict[str, Callable[[], AsyncEngine | str]] = {
        "default": default,
        "file": lambda: file_with_one_connection(tmp_path),
        "queue": one_in_a_queue,
        "shared cache": shared_cache,
        "URL": lambda: "sqlite://",
        "URL of a shared cache": lambda: (
            f"sqlite:///file:{uuid4().hex}?mode=memory&cache=shared&uri=true"
        ),
    }
    async with Database(makers[request.param]()) as db:
        await db.create_tables()
        yield db
    await db.engine.dispose()


class TestOnOneConnection(Conformance):
    """What holds on a database with many connections holds on one that both processes share."""

    @pytest.fixture
    async def engine(self) -> AsyncIterator[AsyncEngine]:
        engine = default()
        async with Database(engine) as db:
            await db.create_tables()
        yield engine
        await engine.dispose()

    @pytest.fixture
    async def backend(self, engine: AsyncEngine) -> AsyncIterator[Database]:
        async with Database(engine) as db:
            yield db

    @pytest.fixture
    async def elsewhere(self, engine: AsyncEngine) -> AsyncIterator[Database]:
        async with Database(engine) as db:
            yield db


async def test_many_chats_at_once_are_whole(one_connection: Database) -> None:
    async def look(place: int) -> str:
        await asyncio.sleep(0.01)
        return f"seen {place}"

    async def one(place: int) -> list[str]:
        script = Script([say(*["x "] * 20, pause=0.005), call("look", place=place)], [say("done")])
        chat = await create_chat(one_connection, script, tools=[look])
        async for _ in chat.stream("Look!"):
            pass
        return [f"{message.role} {message.status}" for message in await chat.messages()]

    whole = ["user complete", "assistant complete", "tool complete", "assistant complete"]
    assert await asyncio.gather(*map(one, range(8))) == [whole] * 8


async def test_several_databases_on_one_engine_take_turns() -> None:
    engine = default()
    async with Database(engine) as one, Database(engine) as other:
        await one.create_tables()

        async def ask(db: Database) -> str:
            chat = await create_chat(db, Script([say(*["x "] * 20, pause=0.005)]))
            await chat.ask("Go on")
            return (await chat.messages())[-1].status

        said = await asyncio.gather(*(ask(db) for db in (one, other) * 4))
    await engine.dispose()

    assert said == ["complete"] * 8


async def test_a_chat_is_copied_while_it_is_read(one_connection: Database) -> None:
    """The copy is written between two lines of the export, which holds no transaction open."""
    chat = await create_chat(one_connection, Script([say("Hello.")], [say("Again.")]))
    await chat.ask("Hi")

    lines = []
    async for line in export_chat(one_connection, chat.id):
        lines.append(line)
        await chat.rename(f"{len(lines)} lines")
    copy = await import_chat(one_connection, lines, new_ids=True)

    assert copy.id != chat.id


async def test_a_cancelled_statement_leaves_what_is_in_memory(one_connection: Database) -> None:
    """A database in memory is gone with its last connection."""
    chat = await create_chat(one_connection, Script([say("Hello.")]))

    await cancelled_amid_a_statement(one_connection)

    assert (await chat.ask("Hi")).text == "Hello."


async def test_a_cancelled_statement_leaves_no_lock_on_a_file(tmp_path: Path) -> None:
    """Once a closed connection kept it, for as long as Python did not collect its cursor."""
    async with Database(f"sqlite:///{tmp_path / 'a.db'}") as db:
        await db.create_tables()
        chat = await create_chat(db, Script([say("Hello.")]))

        await cancelled_amid_a_statement(db)

        assert (await chat.ask("Hi")).text == "Hello."


async def test_a_cancellation_at_any_moment_leaves_what_is_in_memory(
    one_connection: Database,
) -> None:
    """The connection is on its way back to the pool at one of them: that closed it."""
    chat = await create_chat(one_connection, Script([say("Hello.")]), title="t")

    async def write() -> None:
        async with one_connection.store.transaction() as connection:
            await connection.execute(text("UPDATE llm_chats SET title = 't'"))

    for work in (chat.messages, write):
        await work()
        for moment, again in product(range(1, 7), (0, 1, 2)):
            working = asyncio.create_task(cancelled_at(work(), {moment, moment + again}))
            with suppress(asyncio.CancelledError):
                await working
    assert (await chat.ask("Hi")).text == "Hello."


@types.coroutine
def cancelled_at(work: Coroutine[Any, Any, Any], moments: set[int]) -> Generator[Any, Any, None]:
    """Have this task cancelled where it waits for the so manieth time."""
    step = partial(work.send, None)
    for place in count(1):
        try:
            waited = step()
        except StopIteration:
            return
        if place in moments:
            asyncio.current_task().cancel()  # type: ignore[union-attr]
        try:
            yield waited
            step = partial(work.send, None)
        except BaseException as error:  # noqa: BLE001 - the work gets it
            step = partial(work.throw, error)


async def cancelled_amid_a_statement(db: Database) -> None:
    async def work() -> None:
        async with db.store.transaction() as connection:
            await connection.execute(text("DELETE FROM llm_chats"))
            await connection.execute(LONG_STATEMENT)

    working = asyncio.create_task(work())
    await asyncio.sleep(0.1)
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working


@pytest.mark.parametrize(
    "url",
    [
        "sqlite+aiosqlite://",
        "sqlite+aiosqlite:///:memory:",
        "sqlite+aiosqlite:///file::memory:?uri=true",
        "sqlite+aiosqlite:///file::memory:?cache=shared&uri=true",
    ],
)
async def test_a_pool_that_would_lose_the_tables_is_refused(url: str) -> None:
    engine = create_async_engine(url, poolclass=NullPool)
    async with Database(engine) as db:
        with pytest.raises(ConfigurationError, match="StaticPool"):
            await db.create_tables()


async def test_a_pool_of_several_databases_in_memory_is_refused() -> None:
    engine = create_async_engine("sqlite+aiosqlite://", poolclass=AsyncAdaptedQueuePool)
    async with Database(engine) as db:
        with pytest.raises(ConfigurationError, match="StaticPool"):
            await db.create_tables()
    await engine.dispose()


async def test_a_creator_of_connections_to_a_file_is_not_taken_for_memory(tmp_path: Path) -> None:
    def connect() -> aiosqlite.Connection:
        return aiosqlite.connect(tmp_path / "a.db")

    engine = create_async_engine(
        "sqlite+aiosqlite://", async_creator=connect, poolclass=AsyncAdaptedQueuePool
    )
    async with Database(engine) as db:
        await db.create_tables()
        chat = await create_chat(db, Script([say("Hello.")]))
        assert (await chat.ask("Hi")).text == "Hello."
    await engine.dispose()

    with sqlite3.connect(tmp_path / "a.db") as file:
        assert file.execute("SELECT count(*) FROM llm_messages").fetchone() == (2,)
    file.close()


def test_an_engine_serves_one_event_loop_after_the_other() -> None:
    """A fixture for the whole session has a loop for each test."""
    engine = default()

    async def one(name: str) -> list[str]:
        async with Database(engine) as db:
            await db.create_tables()
            chats = [await create_chat(db, Script([say(name)])) for _ in range(4)]
            return [reply.text for reply in await asyncio.gather(*(it.ask("Hi") for it in chats))]

    assert asyncio.run(one("first")) == ["first"] * 4
    assert asyncio.run(one("second")) == ["second"] * 4
    asyncio.run(engine.dispose())
