"""PostgreSQL wakes those who follow; and whoever follows reads each piece once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import make_url
from test_statements import counting

from chatrecord.runs import follower as watching
from chatrecord.sqlalchemy import Database, create_chat, load_chat
from chatrecord.testing import Script, call, say
from chatrecord.testing.look import has_journal, until

PIECES = [f"<{n}>" for n in range(12)]


@pytest.mark.parametrize("driver", ["asyncpg", "psycopg"])
async def test_a_reader_is_woken_by_the_database(
    postgresql_url: str, driver: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "POLL_SECONDS", 60)
    url = postgresql_url.replace("asyncpg", driver)
    async with Database(url) as here, Database(url) as there, asyncio.timeout(30):
        script = Script([say(*PIECES, pause=0.05), call("add", a=1, b=2)], [say("3", pause=0.2)])
        chat = await create_chat(here, script, tools=[add])
        asking = asyncio.create_task(chat.ask("Go"))
        await until(lambda: has_journal(here, chat))
        twin = await load_chat(there, Script(), chat.id)

        chunks = [chunk async for chunk in twin.follow()]

        assert "".join(chunk.text for chunk in chunks) == "".join(PIECES) + "3"
        assert (await asking).text == "3"


async def test_a_lost_listener_is_no_loss(postgresql_url: str) -> None:
    async with Database(postgresql_url) as here, Database(postgresql_url) as there:
        chat = await create_chat(here, Script([say(*PIECES, pause=0.05)]))
        asking = asyncio.create_task(chat.ask("Go"))
        await until(lambda: has_journal(here, chat))
        twin = await load_chat(there, Script(), chat.id)
        stream = twin.follow()
        first = await anext(stream)

        connection = await asyncpg.connect(_dsn(postgresql_url))
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND query ILIKE 'LISTEN%'"
        )
        await connection.close()

        rest = [chunk.text async for chunk in stream]
        assert first.text + "".join(rest) == "".join(PIECES)
        await asking


async def test_a_tick_is_one_notice_of_ids(postgresql_url: str) -> None:
    async with Database(postgresql_url) as db, _heard(postgresql_url) as notices:
        chats = [await create_chat(db, Script([say(*PIECES, pause=0.05)])) for _ in range(10)]
        with counting(db) as counted:
            replies = await asyncio.gather(*(chat.ask("Go") for chat in chats))

        ids = {reply.run_id.hex for reply in replies}
        mine = [notice.split() for notice in notices if ids & set(notice.split())]
        assert {run_id for notice in mine for run_id in notice} == ids
        assert all(UUID(hex=run_id) for notice in mine for run_id in notice)
        assert len(mine) <= counted.commits, "at most one in each transaction"
        assert any(len(notice) > 1 for notice in mine), "the runs of a tick share one"


async def test_each_follower_reads_each_chunk_once(
    any_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "POLL_SECONDS", 0.05)
    pieces = [f"<{n}>" for n in range(40)]
    async with Database(any_url) as here, Database(any_url) as there:
        chats = [await create_chat(here, Script([say(*pieces, pause=0.03)])) for _ in range(5)]
        asking = [asyncio.create_task(chat.ask("Go")) for chat in chats]
        for chat in chats:
            await until(lambda chat=chat: has_journal(here, chat))  # type: ignore[misc]
        twins = [await load_chat(there, Script(), chat.id) for chat in chats]
        entries: list[Any] = []
        polls = {"run_states": 0, "journal": 0}
        run_states, journal_since = there.store.run_states, there.store.journal_since

        async def counted(run_ids: Any) -> Any:
            polls["run_states"] += 1
            return await run_states(run_ids)

        async def noted(marks: Any) -> Any:
            polls["journal"] += 1
            entries.extend(found := await journal_since(marks))
            return found

        monkeypatch.setattr(there.store, "run_states", counted)
        monkeypatch.setattr(there.store, "journal_since", noted)
        texts = await asyncio.gather(*(_text(twin) for twin in twins for _ in range(3)))

        assert texts == ["".join(pieces)] * 15
        keys = [(entry.message_id, entry.seq) for entry in entries]
        assert len(keys) == len(set(keys))
        assert polls["journal"] <= polls["run_states"], "one query for all that is followed"
        await asyncio.gather(*asking)


async def _text(chat: Any) -> str:
    return "".join([chunk.text async for chunk in chat.follow()])


@asynccontextmanager
async def _heard(url: str) -> AsyncIterator[list[str]]:
    notices: list[str] = []
    connection = await asyncpg.connect(_dsn(url))
    await connection.add_listener("chatrecord", lambda *told: notices.append(told[-1]))
    try:
        yield notices
    finally:
        await connection.close()


def _dsn(url: str) -> str:
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def add(a: int, b: int) -> int:
    return a + b
