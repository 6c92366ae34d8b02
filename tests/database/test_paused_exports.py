"""Exports that are read slowly leave connections to everybody else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, aclosing
from datetime import timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from chatrecord import Chat
from chatrecord.errors import DatabaseFailed
from chatrecord.sqlalchemy import Database, create_chat, delete_chat, export_chat, usage
from chatrecord.testing import Script, say


@pytest.fixture(params=[2, 3, 6])
async def engine(own_url: str, request: pytest.FixtureRequest) -> AsyncIterator[AsyncEngine]:
    """One with so many connections, and no patience with those who wait for them."""
    engine = create_async_engine(own_url, pool_size=request.param, max_overflow=0, pool_timeout=2)
    yield engine
    await engine.dispose()


async def paused(exports: list[AsyncGenerator[str]]) -> int:
    """Have each begin, or find no place; how many have begun."""
    begun = await asyncio.gather(*(anext(each) for each in exports), return_exceptions=True)
    failures = [each for each in begun if isinstance(each, BaseException)]
    assert all(isinstance(each, DatabaseFailed) for each in failures)
    assert all("larger pool_size=" in str(each) for each in failures)
    return len(begun) - len(failures)


async def a_chat(db: Database, *, words: int = 1, pause: float = 0) -> Chat:
    return await create_chat(db, Script([say(*["x"] * words, pause=pause)], [say("Again.")]))


async def test_paused_exports_leave_room_for_questions_and_live_answers(
    engine: AsyncEngine,
) -> None:
    async with Database(engine, patience=timedelta(seconds=2)) as db, AsyncExitStack() as stack:
        done, live = await a_chat(db), await a_chat(db, words=100, pause=0.03)
        await done.ask("Hi")
        answering = asyncio.create_task(live.ask("Go on"))

        exports = [export_chat(db, done.id) for _ in range(12)]
        for each in exports:
            await stack.enter_async_context(aclosing(each))
        assert await paused(exports) > 0
        asked = await asyncio.gather(*(done.messages() for _ in range(6)), done.ask("And?"))
        other = await a_chat(db)
        await delete_chat(db, other.id)
        await usage(db)

        assert asked[-1].text == "Again."
        assert (await answering).text == "x" * 100


async def test_an_export_waits_for_one_that_is_read_to_its_end(engine: AsyncEngine) -> None:
    async with Database(engine) as db:
        chat = await a_chat(db)
        await chat.ask("Hi")

        async def read() -> int:
            return len([line async for line in export_chat(db, chat.id)])

        assert len(set(await asyncio.gather(*(read() for _ in range(8))))) == 1
        assert engine.pool.checkedout() == 0  # type: ignore[attr-defined]
