"""A server that says nothing more: no answer, no reset, for a while or for ever."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from drivers import leaves_writers, url_by
from leftovers import Leftovers, leftovers
from sqlalchemy import URL
from sqlalchemy.ext.asyncio import create_async_engine
from talk import Talk, talks

from chatrecord.errors import DatabaseFailed
from chatrecord.sqlalchemy import Database, load_chat
from chatrecord.testing import Script, say
from chatrecord.testing.look import until
from proxy import proxy_before

pytestmark = leaves_writers


@pytest.fixture(params=["asyncpg", pytest.param("psycopg", marks=pytest.mark.slow), "asyncmy"])
def server_url(request: pytest.FixtureRequest) -> URL:
    """A server, by each driver."""
    return url_by(request.param, request)


async def test_streams_wait_for_a_server_that_is_silent_for_a_while(server_url: URL) -> None:
    async with proxy_before(server_url) as proxy, Database(proxy.url) as db:
        three = talks(3, pieces=20, pause=0.05)
        talking = asyncio.gather(*(talk.hold(db) for talk in three))
        await asyncio.gather(*(talk.begun.wait() for talk in three))

        proxy.fall_silent()
        await asyncio.sleep(0.3)
        shown = [talk.shown for talk in three]
        await asyncio.sleep(1.2)
        assert [talk.shown for talk in three] == shown, "nothing is shown that is not stored"
        proxy.speak()

        assert await talking == [talk.whole for talk in three]
        assert [await talk.stored() for talk in three] == [talk.whole for talk in three]
        assert await leftovers(db) == Leftovers()


SLOW_DRIVERS = [pytest.param(driver, marks=pytest.mark.slow) for driver in ("psycopg", "asyncmy")]


@pytest.mark.parametrize("server_url", ["asyncpg", *SLOW_DRIVERS], indirect=True)
async def test_a_server_that_stays_silent_ends_everything_with_a_clear_error(
    server_url: URL,
) -> None:
    """Runs, questions, looks, and closing, each within its bound."""
    async with proxy_before(server_url) as proxy:
        patience, lease = timedelta(seconds=2), timedelta(seconds=7)
        db = Database(proxy.url, patience=patience, lease=lease)
        three, late = talks(3, pieces=1000, pause=0.02), Talk(["never"], 0)
        await late.prepare(db)
        talking = [asyncio.create_task(talk.hold(db)) for talk in three]
        await asyncio.gather(*(talk.begun.wait() for talk in three))

        proxy.fall_silent()
        assert late.chat is not None
        async with asyncio.timeout(30):
            errors = await asyncio.gather(
                *talking, late.hold(db), late.chat.messages(), return_exceptions=True
            )
            await db.close()

        assert [type(error) for error in errors] == [DatabaseFailed] * 5
        *ended, _ = errors  # a look is tried twice, and may meet a closed connection then
        assert all("silent for 2 s" in str(error) for error in ended)
        assert db.engine.pool.checkedout() == 0  # type: ignore[attr-defined]
        assert not db.runtime.journal._live
        assert not db.runtime.journal._registered

    await _all_go_on(server_url, three, db)


async def test_a_slow_server_with_a_small_pool_is_not_taken_for_a_silent_one(
    postgresql_url: str,
) -> None:
    engine = create_async_engine(postgresql_url, pool_size=2, max_overflow=0)
    db = Database(engine, patience=timedelta(seconds=2.5))

    async def slow() -> int:
        async with db.store.transaction() as connection:
            found = await connection.exec_driver_sql("SELECT 1 FROM pg_sleep(0.25)")
            return int(found.scalar_one())

    assert await asyncio.gather(*(slow() for _ in range(14))) == [1] * 14
    await engine.dispose()


async def _all_go_on(url: URL, three: list[Talk], lost: Database) -> None:
    async with Database(url) as db:
        db.runtime.journal.owner = lost.runtime.journal.owner  # whose leftovers are looked for
        for talk in three:
            assert talk.chat is not None
            talk.chat = await load_chat(db, Script([say("Here again.")]), talk.chat.id)
            await until(talk.is_idle)
            stored = await talk.stored()
            assert stored.startswith(talk.shown)
            assert talk.whole.startswith(stored)
            assert (await talk.chat.ask("And now?")).text == "Here again."
        assert await leftovers(db) == Leftovers()
