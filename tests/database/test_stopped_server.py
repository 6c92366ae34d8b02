"""PostgreSQL is really stopped, as by a power cut, while answers are streaming."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta

import pytest
from leftovers import Leftovers, leftovers
from talk import talks

from chatrecord.errors import DatabaseFailed
from chatrecord.sqlalchemy import Database, load_chat
from chatrecord.testing import Script, say
from chatrecord.testing.look import until
from servers import OwnPostgres, own_postgres


@pytest.fixture(scope="module")
def server() -> Iterator[OwnPostgres]:
    with own_postgres() as server:
        yield server


@pytest.fixture(params=["asyncpg", pytest.param("psycopg", marks=pytest.mark.slow)])
async def url(server: OwnPostgres, request: pytest.FixtureRequest) -> str:
    await asyncio.to_thread(server.start)
    url = server.url.set(drivername=f"postgresql+{request.param}")
    text = url.render_as_string(hide_password=False)
    async with Database(text) as db:
        await db.create_tables()
    return text


async def test_streams_survive_a_restart_of_the_server(server: OwnPostgres, url: str) -> None:
    ten = talks(10, pieces=25, pause=0.08)
    async with Database(url, patience=timedelta(minutes=1)) as db:
        talking = asyncio.gather(*(talk.hold(db) for talk in ten))
        await asyncio.gather(*(talk.begun.wait() for talk in ten))

        await asyncio.to_thread(server.stop)
        await asyncio.sleep(2)
        await asyncio.to_thread(server.start)

        assert await talking == [talk.whole for talk in ten]
        assert [await talk.stored() for talk in ten] == [talk.whole for talk in ten]
        assert [await talk.statuses() for talk in ten] == [{"complete"}] * 10
        assert await leftovers(db) == Leftovers()


async def test_a_server_that_stays_away_ends_the_runs_and_what_was_shown_is_there(
    server: OwnPostgres, url: str
) -> None:
    five = talks(5, pieces=1000, pause=0.02)
    short = timedelta(seconds=2.5)
    async with Database(url, patience=short, lease=timedelta(seconds=8)) as db:
        talking = asyncio.gather(*(talk.hold(db) for talk in five), return_exceptions=True)
        await asyncio.gather(*(talk.begun.wait() for talk in five))
        await asyncio.sleep(0.5)

        await asyncio.to_thread(server.stop)
        errors = await talking
        await asyncio.to_thread(server.start)

    for error in errors:
        assert isinstance(error, DatabaseFailed)
        assert "Check the database, then ask again or call resume()" in str(error)
        assert error.may_pass
    assert all(talk.shown for talk in five)

    async with Database(url) as patient:
        patient.runtime.journal.owner = db.runtime.journal.owner  # whose leftovers are looked for
        for talk in five:
            assert talk.chat is not None
            talk.chat = await load_chat(patient, Script([say("I am back.")]), talk.chat.id)
            await until(talk.is_idle)
            stored = await talk.stored()
            assert stored.startswith(talk.shown)
            assert talk.whole.startswith(stored)
            assert (await talk.chat.ask("And now?")).text == "I am back."
        assert await leftovers(patient) == Leftovers()
