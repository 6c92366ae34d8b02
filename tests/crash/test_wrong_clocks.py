"""Processes on machines whose clocks are an hour ahead or behind, on one server."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from typing import Any
from uuid import UUID

import clock_child
import pytest
from children import processes

from chatrecord.sqlalchemy import Database, create_chat, load_chat
from chatrecord.testing import Script, hang, say
from chatrecord.testing.look import has_journal, until

HOUR = timedelta(hours=1)


@pytest.mark.parametrize("server", ["postgresql", "mariadb"])
@pytest.mark.parametrize("wrong_by", [HOUR, -HOUR], ids=["ahead", "behind"])
def test_a_wrong_clock_neither_takes_a_run_nor_loses_its_own(
    server: str, wrong_by: timedelta, request: pytest.FixtureRequest
) -> None:
    url = request.getfixturevalue(f"{server}_url")
    asyncio.run(_neither_takes_nor_loses(url, wrong_by))


async def _neither_takes_nor_loses(url: str, wrong_by: timedelta) -> None:
    async with Database(url, lease=clock_child.LEASE) as db:
        chat = await create_chat(db, Script([say("half"), hang()]))
        asking = asyncio.create_task(chat.ask("Go"))
        await until(lambda: has_journal(db, chat))
        ours, theirs = processes.Pipe(duplex=False)
        process = processes.Process(
            target=clock_child.run, args=(url, str(chat.id), wrong_by, theirs), daemon=True
        )
        process.start()
        try:
            assert await told(ours), "the other process took a run that lives"
            other, run_id, started = await told(ours)
            await until(lambda: waits(db, UUID(other)))
            for _ in range(3):
                await db.repair()
                there = await load_chat(db, Script(), other)
                run = await there.active_run()
                assert run is not None and str(run.id) == run_id, "it has lost its own run"
                assert abs(run.lease_until - datetime.now(UTC)) < timedelta(minutes=1)
                assert await waits(db, UUID(other)), "it has lost its place in the queue"
                await asyncio.sleep(clock_child.LEASE.total_seconds() * 0.4)
        finally:
            process.kill()
            process.join()

        assert abs(datetime.fromisoformat(started) - datetime.now(UTC)) > HOUR / 2
        await until(lambda: has_ended(db, other))
        assert not await waits(db, UUID(other))
        assert await chat.active_run() is not None
        await chat.stop()
        await asyncio.gather(asking, return_exceptions=True)


async def told(pipe: Connection) -> Any:
    assert await asyncio.to_thread(pipe.poll, 60), "the other process says nothing"
    return pipe.recv()


async def waits(db: Database, chat_id: UUID) -> bool:
    """Whether a question is in the chat's queue, and its process is taken for alive."""
    statement = db.store._sql.first_queued
    line = {"of_chat": chat_id, "now": datetime.now(UTC)}
    async with db.store.reading() as connection:
        return (await connection.execute(statement, line)).scalar() is not None


async def has_ended(db: Database, chat_id: str) -> bool:
    await db.repair()
    return await (await load_chat(db, Script(), chat_id)).active_run() is None
