"""A database whose connections are lost costs time, not text."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest
from drivers import TERMINATE
from leftovers import Leftovers, leftovers
from sqlalchemy.event import listen
from sqlalchemy.ext.asyncio import create_async_engine
from talk import add

from chatrecord.sqlalchemy import Database, create_chat
from chatrecord.sqlalchemy.engine import pre_ping as idle
from chatrecord.testing import Script, call, say


@pytest.mark.parametrize("driver", ["asyncpg", "psycopg"])
async def test_streams_survive_the_loss_of_every_connection(
    postgresql_url: str, driver: str
) -> None:
    url = postgresql_url.replace("asyncpg", driver)
    pieces = [f"<{n}>" for n in range(15)]
    async with Database(url) as db:

        async def converse() -> str:
            script = Script([call("add", a=1, b=2)], [say(*pieces, pause=0.08)])
            chat = await create_chat(db, script, tools=[add])
            text = "".join([chunk.text async for chunk in chat.stream("Go")])
            assert (await chat.messages())[-1].text == text
            return text

        talking = asyncio.gather(*(converse() for _ in range(10)))
        await _terminate(postgresql_url, times=5)

        assert await talking == ["".join(pieces)] * 10
        assert await leftovers(db) == Leftovers()


@pytest.mark.parametrize("rest", [0.0, 60.0], ids=["idle", "busy"])
@pytest.mark.parametrize("driver", ["asyncpg", "psycopg"])
async def test_a_lost_connection_is_replaced_silently(
    postgresql_url: str, driver: str, rest: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether it is tried before it is used, or breaks while it is."""
    monkeypatch.setattr(idle, "IDLE", rest)
    async with Database(postgresql_url.replace("asyncpg", driver)) as db:
        chat = await create_chat(db, Script([say("one")], [say("two")]))
        await chat.ask("1")

        await _terminate(postgresql_url, times=1)
        read = await chat.messages()
        await _terminate(postgresql_url, times=1)
        reply = await chat.ask("2")

    assert (len(read), reply.text) == (2, "two")


async def test_closing_waits_for_cancelled_repairs(any_url: str) -> None:
    """Of a connection that is in use the pool knows nothing: nobody else would close it."""
    chance, open_connections = random.Random(1), set[int]()
    for _ in range(25):
        db = Database(any_url)
        listen(db.engine.sync_engine, "connect", lambda it, _: open_connections.add(id(it)))
        listen(db.engine.sync_engine, "close", lambda it, _: open_connections.discard(id(it)))
        looks = [asyncio.create_task(db.repair()) for _ in range(3)]
        await asyncio.sleep(chance.uniform(0, 0.004))
        for look in looks:
            look.cancel()
        await db.close()
        assert open_connections == set()


@pytest.mark.parametrize("any_url", ["postgresql", "mariadb"], indirect=True)
async def test_a_cancellation_that_comes_with_the_connection_is_kept(
    any_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Up to Python 3.11 `asyncio.wait_for` drops it, and asyncmy connects in one."""
    loop = asyncio.get_running_loop()
    connect = loop.create_connection

    async def connected_and_cancelled(*args: Any, **kwargs: Any) -> Any:
        connected = await connect(*args, **kwargs)
        looking.cancel()
        return connected

    monkeypatch.setattr(loop, "create_connection", connected_and_cancelled)
    async with Database(any_url) as db:
        looking = asyncio.create_task(db.repair())
        await asyncio.wait([looking])

    assert looking.cancelled()


async def _terminate(url: str, *, times: int) -> None:
    engine = create_async_engine(url, isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        for _ in range(times):
            await asyncio.sleep(0.25)
            await connection.exec_driver_sql(TERMINATE)
    await engine.dispose()
