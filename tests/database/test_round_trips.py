"""How often a turn waits for the database, and what forbids the short ways there."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import aiosqlite
import pytest
from drivers import leaves_writers, url_by
from sqlalchemy import String, event, make_url, text, type_coerce
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from talk import add

from chatrecord.chats.chat import Chat
from chatrecord.errors import ChatRecordError, LeaseLost
from chatrecord.ids import new_id
from chatrecord.runs import journal
from chatrecord.sqlalchemy import Database, create_chat
from chatrecord.sqlalchemy.engine import pre_ping
from chatrecord.sqlalchemy.models.encryption import MARK
from chatrecord.store.changes import Changes, Lease
from chatrecord.store.window import Window
from chatrecord.testing import Script, call, hang, say
from chatrecord.testing.look import until
from proxy import proxy_before

pytestmark = leaves_writers
FAR = timedelta(hours=1)
POSTGRESQL = pytest.mark.parametrize("driver", ["asyncpg", "psycopg"])


@pytest.fixture(autouse=True)
def servers(request: pytest.FixtureRequest) -> None:
    """They are there before the event loop of a test."""
    if "driver" in request.fixturenames:
        request.getfixturevalue("postgresql_url")


@pytest.fixture(autouse=True)
def no_flushes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The ticks of the journal depend on how long the provider takes, and a slow turn is a rest."""
    monkeypatch.setattr(journal, "FLUSH_SECONDS", 60)
    monkeypatch.setattr(pre_ping, "IDLE", 60)


def turns(times: int) -> Script:
    """Plain turns and turns with a tool, by turns."""
    return Script(
        *[
            answer
            for _ in range(times)
            for answer in ([say("hi")], [call("add", a=1, b=2)], [say("3")])
        ]
    )


@pytest.mark.parametrize("server", ["postgresql_url", "mariadb_url"])
def test_the_connection_that_was_used_last_is_used_next(
    server: str, request: pytest.FixtureRequest
) -> None:
    """A flush every 0.2 s in turns on five would find each idle for a second, and try it first."""

    async def taken(url: str) -> list[set[int]]:
        async with Database(url) as db:
            together = [await db.engine.connect() for _ in range(3)]
            opened = {await _driver_of(connection) for connection in together}
            for connection in together:
                await connection.close()
            later = set()
            for _ in range(5):
                async with db.engine.connect() as connection:
                    later.add(await _driver_of(connection))
        return [opened, later]

    opened, later = asyncio.run(taken(request.getfixturevalue(server)))

    assert (len(opened), len(later)) == (3, 1)


async def _driver_of(connection: AsyncConnection) -> int:
    return id((await connection.get_raw_connection()).driver_connection)


@POSTGRESQL
async def test_a_turn_takes_few_round_trips(driver: str, request: pytest.FixtureRequest) -> None:
    """Once its statements are prepared: asyncpg does so soon, psycopg after five times.

    A window of many messages takes one more: what is known of it is not read again.
    """
    async with proxy_before(url_by(driver, request)) as proxy, Database(proxy.url) as db:
        chat = await create_chat(db, turns(9), tools=[add], window=Window(messages=20))
        counts = []
        for _ in range(9):
            for question in ("Hi!", "1 + 2?"):
                before = proxy.round_trips
                await chat.ask(question)
                counts.append(proxy.round_trips - before)

    assert counts[-2:] == [3, 6]


async def test_a_turn_on_mariadb_takes_two_round_trips_for_each_transaction(
    mariadb_url: str,
) -> None:
    """One for all that it writes, one for its commit, and one for the history."""
    async with proxy_before(make_url(mariadb_url)) as proxy, Database(proxy.url) as db:
        chat = await create_chat(db, turns(3), tools=[add], window=Window(messages=20))
        counts = []
        for _ in range(3):
            for question in ("Hi!", "1 + 2?"):
                before = proxy.round_trips
                await chat.ask(question)
                counts.append(proxy.round_trips - before)

    assert counts[-2:] == [5, 11]


async def test_a_server_that_takes_one_statement_in_a_message_gets_one(mariadb_url: str) -> None:
    """Such as a proxy before it."""

    def take_one(connection: Any, _record: object) -> None:
        set_option, multi_statements_off = 0x1B, b"\x01\x00"
        connection.run_async(lambda driver: sent(driver, set_option, multi_statements_off))

    async def sent(driver: Any, command: int, data: bytes) -> None:
        await driver._execute_command(command, data)
        await driver.read_packet()

    engine = create_async_engine(mariadb_url)
    event.listen(engine.sync_engine, "connect", take_one)
    async with Database(engine) as db:
        chat = await create_chat(db, turns(2), tools=[add])
        for question in ("Hi!", "1 + 2?", "Hi!", "1 + 2?"):
            await chat.ask(question)
        assert not db.store._batches.is_possible
        assert [row.status for row in await chat.messages()] == ["complete"] * 12
    await engine.dispose()


async def test_a_turn_on_sqlite_changes_threads_for_each_transaction(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    execute = aiosqlite.Connection._execute

    async def heard(self: Any, work: Any, *given: Any, **named: Any) -> Any:
        calls.append(work.__name__)
        return await execute(self, work, *given, **named)

    monkeypatch.setattr(aiosqlite.Connection, "_execute", heard)
    async with Database(sqlite_url) as db:
        await db.create_tables()
        chat = await create_chat(db, turns(3), tools=[add])
        counts = []
        for _ in range(3):
            for question in ("Hi!", "1 + 2?"):
                calls.clear()
                await chat.ask(question)
                counts.append(len(calls))

    assert counts[-2:] == [2, 5]


@pytest.mark.parametrize("name", ["begin", "commit", "rollback", "before_cursor_execute"])
async def test_who_listens_hears_every_transaction(backend: Database, name: str) -> None:
    """Also where it could be one statement, or go to its thread as a whole."""
    chat = await create_chat(backend, turns(2), tools=[add])
    for question in ("Hi!", "1 + 2?"):
        await chat.ask(question)
    heard = {"begin": 0, "commit": 0, name: 0}

    def listener(of: str) -> Any:
        def hear(*_: Any) -> None:
            heard[of] += 1

        return hear

    listeners = {of: listener(of) for of in heard}
    for of, hear in listeners.items():
        event.listen(backend.engine.sync_engine, of, hear)
    await chat.ask("Hi!")
    for of, hear in listeners.items():
        event.remove(backend.engine.sync_engine, of, hear)

    assert heard["begin"] == heard["commit"] == 2
    assert heard.get("before_cursor_execute", 5) >= 5


@POSTGRESQL
async def test_an_isolation_that_was_chosen_is_kept(
    driver: str, request: pytest.FixtureRequest
) -> None:
    engine = create_async_engine(url_by(driver, request), isolation_level="SERIALIZABLE")
    async with Database(engine) as db:
        async with engine.begin() as connection:
            await connection.execute(text("CREATE TABLE levels (level text)"))
            await connection.execute(text(NOTE_LEVEL))
            await connection.execute(text(TRIGGER))
        chat = await create_chat(db, turns(2), tools=[add])
        for question in ("Hi!", "1 + 2?", "Hi!"):
            await chat.ask(question)
        async with engine.begin() as connection:
            found = await connection.execute(text("SELECT DISTINCT level FROM levels"))
            levels = found.scalars().all()
            await connection.execute(text("DROP FUNCTION note_level CASCADE"))
            await connection.execute(text("DROP TABLE levels"))
    await engine.dispose()

    assert levels == ["serializable"]


NOTE_LEVEL = """
    CREATE FUNCTION note_level() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO levels VALUES (current_setting('transaction_isolation'));
        RETURN NEW;
    END $$
"""
TRIGGER = """
    CREATE TRIGGER note_level AFTER INSERT OR UPDATE ON llm_messages
    FOR EACH ROW EXECUTE FUNCTION note_level()
"""
"""How the transactions are isolated that write messages."""


async def test_a_driver_that_is_set_up_for_a_pooler_begins_transactions(
    postgresql_url: str,
) -> None:
    """What it prepares without a name is known to one session of the pooler's."""
    url = make_url(postgresql_url).set(drivername="postgresql+asyncpg")
    url = url.render_as_string(hide_password=False)
    async with Database(f"{url}?statement_cache_size=0") as db:
        chat = await create_chat(db, turns(2), tools=[add])
        for question in ("Hi!", "1 + 2?", "Hi!", "1 + 2?"):
            await chat.ask(question)
        assert not db.store._alone.is_possible
        assert [row.status for row in await chat.messages()] == ["complete"] * 12


async def test_a_write_that_waits_for_a_takeover_writes_nothing(
    backend: Database, elsewhere: Database
) -> None:
    """It waits for a lock of the process that takes the run over, and then has no lease."""
    chat = await create_chat(backend, Script(*[[say("hi")]] * 3, [say("half"), hang()]))
    for _ in range(3):
        await chat.ask("Hi!")  # its statements are known then
    asking = asyncio.create_task(chat.ask("Go"))
    await until(lambda: is_asked(chat))
    run = await chat.active_run()
    assert run is not None
    answer = (await chat.messages())[-1]
    now = datetime.now(UTC)
    changes = Changes(chat.id, lease=Lease(run.id, run.owner, run.epoch, now + FAR))
    changes.put(replace(answer, text="late"))
    changes.add(replace(answer, id=new_id(), seq=answer.seq + 1))
    taking = {"row_id": run.id, "of_epoch": run.epoch, "now": now + FAR, "new_owner": "other"}

    async with elsewhere.store.transaction() as connection:
        sql = elsewhere.store._sql.claim
        await connection.execute(sql, {**taking, "new_lease_until": now + FAR})
        writing = asyncio.create_task(backend.store.write(changes))
        done, _ = await asyncio.wait([writing], timeout=0.3)
        assert not done

    with pytest.raises(LeaseLost):
        await writing
    assert [message.text for message in await chat.messages()][6:] == ["Go", ""]
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)


async def is_asked(chat: Chat) -> bool:
    return len(await chat.messages()) == 8


async def test_a_run_whose_history_cannot_be_read_leaves_its_chat_free(backend: Database) -> None:
    """Where it is begun by one statement, and its history read by the next."""
    chat = await create_chat(backend, Script(*[[say("hi")]] * 5))
    for _ in range(3):
        await chat.ask("Hi!")
    first = (await chat.messages())[0]
    table = backend.models.message.__table__
    row = table.update().where(table.c.id == first.id)
    sealed = f"{MARK}nobody's:00"
    async with backend.engine.begin() as connection:
        await connection.execute(row.values(text=type_coerce(sealed, String)))

    with pytest.raises(ChatRecordError):
        await chat.ask("Hi!")

    assert await chat.active_run() is None
    async with backend.engine.begin() as connection:
        await connection.execute(row.values(text="Hi!"))
    assert (await chat.ask("Hi!")).text == "hi"
    assert len(await chat.requests()) == 4
