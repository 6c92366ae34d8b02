"""Behind a real PgBouncer in transaction mode, with the URLs of the documentation."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from drivers import DRIVERS
from pgbouncer import PROGRAM, pgbouncer
from sqlalchemy import URL, event, make_url, text
from sqlalchemy.ext.asyncio import create_async_engine
from tenancy import policies, tenant, tenant_is

from chatrecord.errors import ConfigurationError
from chatrecord.runs import follower as watching
from chatrecord.sqlalchemy import Database, create_chat, list_chats, load_chat
from chatrecord.testing import Script, call, say
from chatrecord.testing.conformance.answers import AnswersAreRows
from chatrecord.testing.conformance.processes import ProcessesShare
from chatrecord.testing.look import has_journal, until

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="apt-get install pgbouncer")
drivers = pytest.mark.parametrize("driver", ["asyncpg", "psycopg"])

PIECES = [f"<{n}>" for n in range(8)]
KEPT = "SELECT count(*) FROM pg_prepared_statements WHERE name <> ''"
LISTENING = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND query ILIKE 'LISTEN chatrecord%'
"""


@pytest.fixture(scope="module")
def direct_url(postgresql_url: str) -> URL:
    """The server itself."""
    return make_url(postgresql_url)


@pytest.fixture(scope="module")
def pooled_url(direct_url: URL) -> Iterator[URL]:
    """Through a pooler with five connections to the server."""
    with pgbouncer(direct_url) as found:
        yield found


@pytest.fixture
def tenant_url(own_url: str) -> Iterator[URL]:
    """Through another, as a role that sees the rows of its tenant only."""
    owner = make_url(own_url)
    with policies(owner) as role, pgbouncer(owner, users=[str(role.username)]) as pooled:
        yield pooled.set(username=role.username)


def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


async def count(url: URL, statement: str) -> int:
    engine = create_async_engine(url)
    async with engine.connect() as connection:
        found = (await connection.execute(text(statement))).scalar_one()
    await engine.dispose()
    return int(found)


async def prepared(db: Database) -> list[int]:
    """How many statements each of five connections to the server has."""

    async def look() -> int:
        async with db.engine.begin() as connection:
            await asyncio.sleep(0.05)  # so that the others are taken meanwhile
            return int((await connection.execute(text(KEPT))).scalar_one())

    return await asyncio.gather(*(look() for _ in range(5)))


async def talked(db: Database, number: int) -> list[str]:
    """Two turns, one of which calls a tool."""
    said = [f"{number}{piece}" for piece in PIECES]
    answers = [say(*said, pause=0.02)], [call("add", a=number, b=1)], [say(f"{number + 1}")]
    chat = await create_chat(db, Script(*answers), tools=[add])
    return [(await chat.ask("Go")).text, (await chat.ask("Add")).text]


@drivers
class TestPgBouncer(AnswersAreRows, ProcessesShare):
    """Rows, and several processes at once, as without a pooler."""

    @pytest.fixture
    def url(self, pooled_url: URL, driver: str) -> URL:
        return pooled_url.set(drivername=DRIVERS[driver])

    @pytest.fixture
    async def backend(self, url: URL) -> AsyncIterator[Database]:
        async with Database(url) as db:
            yield db

    @pytest.fixture
    async def elsewhere(self, url: URL) -> AsyncIterator[Database]:
        async with Database(url) as db:
            yield db


@drivers
async def test_fifty_chats_share_five_connections_of_a_pooler(
    pooled_url: URL, direct_url: URL, driver: str
) -> None:
    async with Database(pooled_url.set(drivername=DRIVERS[driver])) as db:
        told = await asyncio.gather(*(talked(db, number) for number in range(50)))
        kept = await prepared(db)

    assert told == [["".join(f"{n}{piece}" for piece in PIECES), f"{n + 1}"] for n in range(50)]
    assert kept == [0] * 5
    assert await count(direct_url, LISTENING) == 0


@drivers
async def test_a_url_without_the_pooler_wakes_those_who_follow(
    pooled_url: URL, direct_url: URL, driver: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "POLL_SECONDS", 60)
    url = pooled_url.set(drivername=DRIVERS[driver])
    past = direct_url.set(drivername=DRIVERS[driver])
    there = Database(url, listen_url=past)
    async with Database(url) as here, there, asyncio.timeout(30):
        chat = await create_chat(here, Script([say(*PIECES, pause=0.05)]))
        asking = asyncio.create_task(chat.ask("Go"))
        await until(lambda: has_journal(here, chat))
        twin = await load_chat(there, Script(), chat.id)

        assert "".join([chunk.text async for chunk in twin.follow()]) == "".join(PIECES)
        assert (await asking).text == "".join(PIECES)


@drivers
async def test_without_such_a_url_those_who_follow_poll_and_nobody_listens(
    pooled_url: URL, direct_url: URL, driver: str
) -> None:
    url = pooled_url.set(drivername=DRIVERS[driver])
    async with Database(url) as here, Database(url) as there:
        chat = await create_chat(here, Script([say(*PIECES, pause=0.05)]))
        asking = asyncio.create_task(chat.ask("Go"))
        await until(lambda: has_journal(here, chat))
        twin = await load_chat(there, Script(), chat.id)
        async with twin.follow() as stream:
            first = await anext(stream)
            listening = await count(direct_url, LISTENING)
            rest = [chunk.text async for chunk in stream]
        await asking

    assert first.text + "".join(rest) == "".join(PIECES)
    assert listening == 0


@drivers
async def test_an_engine_of_yours_prepares_nothing_if_it_is_told(
    pooled_url: URL, driver: str
) -> None:
    engine = create_async_engine(pooled_url.set(drivername=DRIVERS[driver]))
    async with Database(engine, pooler="transaction") as db:
        told = await asyncio.gather(*(talked(db, number) for number in range(10)))
    await engine.dispose()

    assert [answers[1] for answers in told] == [f"{number + 1}" for number in range(10)]


async def test_an_engine_of_yours_is_left_as_it_is_and_the_pooler_is_named(
    pooled_url: URL, caplog: pytest.LogCaptureFixture
) -> None:
    engine = create_async_engine(pooled_url.set(drivername=DRIVERS["psycopg"]))
    with caplog.at_level(logging.WARNING, "chatrecord"):
        async with Database(engine) as db:
            await list_chats(db)
    await engine.dispose()

    (warning,) = caplog.messages
    assert 'pooler="transaction"' in warning


@drivers
async def test_a_server_without_a_pooler_is_taken_for_none(
    direct_url: URL, driver: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "chatrecord"):
        async with Database(direct_url.set(drivername=DRIVERS[driver])) as db:
            for number in range(6):  # psycopg prepares what it has run five times
                await talked(db, number)
            kept = await prepared(db)

    assert any(kept)
    assert caplog.messages == []


@drivers
async def test_what_listens_for_connections_later_is_heard(
    pooled_url: URL, direct_url: URL, driver: str
) -> None:
    """Such as what fetches a password that lasts for minutes."""

    def sign_in(_dialect: object, _record: object, _args: object, options: Any) -> None:
        options["user"] = direct_url.username

    for url in (pooled_url, direct_url):
        async with Database(url.set(drivername=DRIVERS[driver], username="nobody")) as db:
            event.listen(db.engine.sync_engine, "do_connect", sign_in)
            assert (await talked(db, 1))[1] == "2"


async def test_several_processes_create_the_tables_through_a_pooler(
    direct_url: URL, pooled_url: URL
) -> None:
    name = f"{direct_url.database}_new"
    engine = create_async_engine(direct_url, isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        await connection.execute(text(f"CREATE DATABASE {name}"))
    try:
        with pgbouncer(direct_url.set(database=name)) as url:
            databases = [Database(url.set(database=name)) for _ in range(4)]
            await asyncio.gather(*(db.create_tables() for db in databases))
            await databases[0].check()
            await asyncio.gather(*(db.close() for db in databases))
    finally:
        async with engine.connect() as connection:
            await connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
        await engine.dispose()


@drivers
@pytest.mark.parametrize("own_url", ["postgresql"], indirect=True)
async def test_tenants_keep_apart_behind_a_pooler(tenant_url: URL, driver: str) -> None:
    """They share its connections, and no setting of one is left for the next."""
    names = [f"{driver}{number}" for number in range(20)]

    async def talked_as(db: Database, name: str) -> tuple[list[str], int]:
        tenant.set(name)
        answers = await talked(db, names.index(name))
        return answers, len(await list_chats(db))

    url = tenant_url.set(drivername=DRIVERS[driver])
    async with Database(url, partition=tenant, partition_setting="app.tenant") as db:
        told = await asyncio.gather(*(asyncio.create_task(talked_as(db, name)) for name in names))
        with tenant_is("nobody"):
            assert await list_chats(db) == []

    assert [answers[1] for answers, _ in told] == [f"{n + 1}" for n in range(20)]
    assert [seen for _, seen in told] == [1] * 20


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"pooler": "statement"}, "pooler="),
        ({"listen_url": "sqlite://"}, "listen_url="),
    ],
)
def test_options_that_cannot_work_are_refused(
    direct_url: URL, options: dict[str, Any], told: str
) -> None:
    with pytest.raises(ConfigurationError, match=told):
        Database(direct_url, **options)


def test_poolers_are_those_of_postgresql() -> None:
    with pytest.raises(ConfigurationError, match="PostgreSQL"):
        Database("sqlite://", pooler="transaction")
    with pytest.raises(ConfigurationError, match="PostgreSQL"):
        Database("sqlite://", listen_url="postgresql://localhost/chats")
