"""A mode of MariaDB's in which its drivers store other bytes than they are given is refused."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from sqlalchemy import event, make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from chatrecord import Attachment
from chatrecord.errors import ConfigurationError
from chatrecord.sqlalchemy import Database, create_chat
from chatrecord.testing import Script, say

MODE = "STRICT_TRANS_TABLES,NO_BACKSLASH_ESCAPES"
FILE = Attachment(data=bytes(range(256)) * 4, media_type="application/octet-stream")


def by_init_command(url: str) -> AsyncEngine:
    command = f"SET SESSION sql_mode='{MODE}'"
    return create_async_engine(url, connect_args={"init_command": command})


def by_argument(url: str) -> AsyncEngine:
    return create_async_engine(url, connect_args={"sql_mode": f"'{MODE}'"})


def by_event(url: str) -> AsyncEngine:
    engine = create_async_engine(url)

    @event.listens_for(engine.sync_engine, "connect")
    def set_mode(connection: Any, _record: object) -> None:
        cursor = connection.cursor()
        cursor.execute(f"SET SESSION sql_mode='{MODE}'")
        cursor.close()

    return engine


def by_url(url: str) -> str:
    with_mode = make_url(url).update_query_dict({"init_command": f"SET sql_mode='{MODE}'"})
    return with_mode.render_as_string(hide_password=False)


@pytest.fixture(params=[by_init_command, by_argument, by_event, by_url])
async def spoiling(
    request: pytest.FixtureRequest, mariadb_url: str
) -> AsyncIterator[Callable[[], Database]]:
    made: list[AsyncEngine] = []

    def make() -> Database:
        db = Database(request.param(mariadb_url))
        made.append(db.engine)
        return db

    yield make
    for engine in made:
        await engine.dispose()


async def test_no_backslash_escapes_is_refused_at_the_first_connection(
    spoiling: Callable[[], Database],
) -> None:
    async with spoiling() as db:
        with pytest.raises(ConfigurationError, match="NO_BACKSLASH_ESCAPES") as refused:
            await db.create_tables()
        with pytest.raises(ConfigurationError, match="sql_mode='STRICT_TRANS_TABLES'"):
            await create_chat(db, Script([say("Hello.")]))

    assert "init_command" in str(refused.value)


async def test_a_connection_that_was_there_before_is_looked_at(mariadb_url: str) -> None:
    engine = create_async_engine(mariadb_url, pool_size=1, max_overflow=0)
    async with engine.connect() as connection:
        await connection.exec_driver_sql(f"SET SESSION sql_mode='{MODE}'")
    async with Database(engine) as db:
        with pytest.raises(ConfigurationError, match="NO_BACKSLASH_ESCAPES"):
            await create_chat(db, Script([say("Hello.")]))
    await engine.dispose()


async def test_the_mode_that_the_error_proposes_stores_every_byte(mariadb_url: str) -> None:
    async with Database(by_init_command(mariadb_url)) as db:
        with pytest.raises(ConfigurationError) as refused:
            await create_chat(db, Script([say("Hello.")]))
    await db.engine.dispose()
    proposed = str(refused.value).partition("connect_args=")[2]
    assert proposed.startswith('{"init_command": "') and proposed.endswith('"}')
    command = proposed.removeprefix('{"init_command": "').removesuffix('"}')

    engine = create_async_engine(mariadb_url, connect_args={"init_command": command})
    async with Database(engine) as db:
        chat = await create_chat(db, Script([say("Hello.")]))
        await chat.ask("Look!", attachments=[FILE])
        (file,) = [file for message in await chat.messages() for file in message.attachments]
        assert (await chat.attachment(file.hash)).data == FILE.data
    await engine.dispose()


async def test_each_connection_is_looked_at_once(mariadb_url: str) -> None:
    asked: list[str] = []
    async with Database(mariadb_url) as db:

        @event.listens_for(db.engine.sync_engine, "before_cursor_execute")
        def look(_c: Any, _cursor: Any, sql: str, *_: Any) -> None:
            asked.extend([sql] if "@@sql_mode" in sql else [])

        chat = await create_chat(db, Script([say("Hello.")], [say("Again.")]))
        await chat.ask("Hi")
        await chat.messages()

        assert 1 <= len(asked) <= db.engine.pool.checkedin()  # type: ignore[attr-defined]
