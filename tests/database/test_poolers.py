"""An error that a pooler in transaction mode causes names it, and the setting that helps."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from drivers import url_by
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from chatrecord.errors import DatabaseFailed
from chatrecord.sqlalchemy import Database, create_chat
from chatrecord.sqlalchemy.engine.pooler_hints import hint_for
from chatrecord.testing import Script, say

SETTINGS = {"asyncpg": "statement_cache_size=0", "psycopg": "prepare_threshold=none"}
drivers = pytest.mark.parametrize("driver", SETTINGS)


@pytest.fixture(autouse=True)
def servers(postgresql_url: str) -> None:
    """They are there before the event loop of a test."""


def one_connection(driver: str, request: pytest.FixtureRequest, **options: object) -> AsyncEngine:
    """An engine whose next transaction is on the connection of the one before."""
    prepared = {"prepare_threshold": 0} if driver == "psycopg" else {}
    return create_async_engine(
        url_by(driver, request), pool_size=1, max_overflow=0, connect_args={**prepared, **options}
    )


async def unseen(connection: AsyncConnection, work: str) -> None:
    """Have the server do this where the driver does not read it, as a pooler's other clients do."""
    raw: Any = (await connection.get_raw_connection()).driver_connection
    await raw.execute(f"DO $$ BEGIN {work}; END $$")


@drivers
async def test_a_statement_that_the_server_has_not_got_names_the_setting(
    driver: str, request: pytest.FixtureRequest
) -> None:
    engine = one_connection(driver, request)
    async with Database(engine) as db:
        chat = await create_chat(db, Script([say("Hello.")]))
        await chat.messages()
        async with engine.begin() as connection:
            await unseen(connection, "EXECUTE 'DEALLOCATE ALL'")

        with pytest.raises(DatabaseFailed, match="PgBouncer") as failed:
            await chat.messages()
    await engine.dispose()

    assert SETTINGS[driver] in str(failed.value)


@drivers
async def test_a_packet_error_outside_our_statements_names_the_setting(
    driver: str, request: pytest.FixtureRequest
) -> None:
    options = {"prepared_statement_name_func": lambda: "taken"} if driver == "asyncpg" else {}
    engine = one_connection(driver, request, **options)
    async with Database(engine) as db:
        if driver == "psycopg":
            async with engine.begin() as connection:
                prepare = "EXECUTE format('PREPARE _pg3_%s AS SELECT 1', n)"
                loop = f"FOR n IN 0..99 LOOP {prepare}; END LOOP"
                await unseen(connection, f"EXECUTE 'DEALLOCATE ALL'; {loop}")

        with pytest.raises(DatabaseFailed, match="PgBouncer") as failed:
            await create_chat(db, Script([say("Hello.")]))
    await engine.dispose()

    assert SETTINGS[driver] in str(failed.value)


@drivers
async def test_no_other_error_is_blamed_on_a_pooler(
    driver: str, request: pytest.FixtureRequest
) -> None:
    engine = one_connection(driver, request)
    async with Database(engine) as db, db.store.transaction() as connection:
        with pytest.raises(Exception, match="no_such_table") as failed:
            await connection.execute(text("SELECT * FROM no_such_table"))
    await engine.dispose()

    assert hint_for(failed.value) is None


@pytest.mark.parametrize(
    ("driver", "setting"),
    [("asyncpg", "statement_cache_size=0"), ("psycopg", "prepare_threshold=none")],
)
async def test_with_the_setting_in_the_url_nothing_is_prepared(
    driver: str, setting: str, request: pytest.FixtureRequest
) -> None:
    url = url_by(driver, request).render_as_string(hide_password=False)
    async with Database(f"{url}?{setting}") as db:
        chat = await create_chat(db, Script([say("Hello.")]))
        for _ in range(6):  # psycopg prepares what it has run five times
            await chat.messages()
        async with db.store.transaction() as connection:
            kept = text("SELECT count(*) FROM pg_prepared_statements WHERE name <> ''")
            assert (await connection.execute(kept)).scalar_one() == 0


async def test_the_first_questions_of_a_process_may_come_at_once(
    request: pytest.FixtureRequest,
) -> None:
    """They find out together that no statement can be sent by itself."""
    url = url_by("asyncpg", request).render_as_string(hide_password=False)
    async with Database(f"{url}?statement_cache_size=0") as db:
        chats = [await create_chat(db, Script([say("Hello.")])) for _ in range(10)]
        replies = await asyncio.gather(*(chat.ask("Hi") for chat in chats))

    assert [reply.text for reply in replies] == ["Hello."] * 10
