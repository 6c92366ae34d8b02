"""Thousands of runs, begun and ended or left in every way, leave nothing behind."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable
from contextlib import suppress
from weakref import WeakSet

import pytest
from leftovers import Leftovers, leftovers
from talk import add

from chatrecord import ChatRecordError
from chatrecord.runs.feed import Feed
from chatrecord.sqlalchemy import Database, create_chat
from chatrecord.testing import Script, call, fail, hang, say

AT_ONCE = 40


async def read_to_its_end(db: Database) -> None:
    chat = await create_chat(db, Script([call("add", a=1, b=2)], [say("3")]), tools=[add])
    async for _ in chat.stream("1 + 2?"):
        pass


async def asked(db: Database) -> None:
    chat = await create_chat(db, Script([say("yes")]))
    await chat.ask("Yes?")


async def left_and_going_on(db: Database) -> None:
    chat = await create_chat(db, Script([say("a ", "b ", "c", pause=0.001)]))
    async for _ in chat.stream("Go"):
        break


async def left_and_stopped(db: Database) -> None:
    chat = await create_chat(db, Script([say("half"), hang()]), on_disconnect="stop")
    async with chat.stream("Go") as stream:
        await anext(stream)


async def dropped(db: Database) -> None:
    chat = await create_chat(db, Script([say("half"), hang()]), on_disconnect="stop")
    await anext(chat.stream("Go"))


async def cancelled(db: Database) -> None:
    chat = await create_chat(db, Script([say("half"), hang()]), on_disconnect="stop")
    asking = asyncio.create_task(chat.ask("Go"))
    await asyncio.sleep(0.002)
    asking.cancel()
    await asyncio.wait([asking])


async def cancelled_before_it_began(db: Database) -> None:
    chat = await create_chat(db, Script([hang()]), on_disconnect="stop")
    asking = asyncio.create_task(chat.ask("Go"))
    await asyncio.sleep(0)
    asking.cancel()
    await asyncio.wait([asking])


async def failed_by_its_provider(db: Database) -> None:
    chat = await create_chat(db, Script([say("half"), fail(OSError("reset"))]), retries=0)
    with suppress(ChatRecordError):
        await chat.ask("Go")


async def failed_by_its_tool(db: Database) -> None:
    def broken() -> str:
        raise ZeroDivisionError

    chat = await create_chat(db, Script([call("broken")]), tools=[broken])
    with suppress(ChatRecordError):
        await chat.ask("Go")


async def refused_while_busy(db: Database) -> None:
    chat = await create_chat(db, Script([say("first", pause=0.01)]))
    await asyncio.gather(chat.ask("One"), chat.ask("Two"), return_exceptions=True)


WAYS: tuple[Callable[[Database], Awaitable[None]], ...] = (
    read_to_its_end,
    asked,
    left_and_going_on,
    left_and_stopped,
    dropped,
    cancelled,
    cancelled_before_it_began,
    failed_by_its_provider,
    failed_by_its_tool,
    refused_while_busy,
)


async def leave_nothing_behind(db: Database, count: int, track: pytest.MonkeyPatch) -> None:
    feeds = tracked(track)
    tasks = set(asyncio.all_tasks())
    turns = asyncio.Semaphore(AT_ONCE)

    async def one(way: Callable[[Database], Awaitable[None]]) -> None:
        async with turns:
            await way(db)

    await asyncio.gather(*(one(WAYS[number % len(WAYS)]) for number in range(count)))
    gc.collect()  # a stream that was dropped may have to be found
    await all_ended(db)
    del one

    assert await settled(db) == Leftovers()
    assert set(asyncio.all_tasks()) == tasks
    await forget_cancelled_timers()
    gc.collect()
    assert len(feeds) == 0, "runs are held in memory"


def tracked(track: pytest.MonkeyPatch) -> WeakSet[Feed]:
    """Every run that is made from now on, as long as somebody holds it."""
    feeds: WeakSet[Feed] = WeakSet()
    make = Feed.__init__

    def made(feed: Feed, *arguments: object) -> None:
        make(feed, *arguments)  # type: ignore[arg-type]
        feeds.add(feed)

    track.setattr(Feed, "__init__", made)
    return feeds


async def all_ended(db: Database) -> None:
    async with asyncio.timeout(30):
        for run in list(db.runtime.journal._registered):
            await run.ended()
        while db.runtime.journal._registered:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)


async def settled(db: Database) -> Leftovers:
    """What is left once everything has had the time to go."""
    for _ in range(100):
        left = await leftovers(db)
        if left == Leftovers():
            break
        await asyncio.sleep(0.05)
    await asyncio.sleep(0.1)  # the journal's task sees that it has nothing left to do
    return left


async def forget_cancelled_timers() -> None:
    """A loop keeps a cancelled timer, and the context it was set in, until there are many."""
    loop = asyncio.get_running_loop()
    for _ in range(2000):
        loop.call_later(1000, print).cancel()
    await asyncio.sleep(0.01)


async def test_runs_that_end_in_every_way_leave_nothing_behind(
    backend: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await leave_nothing_behind(backend, 60, monkeypatch)


@pytest.mark.slow
async def test_thousands_of_runs_leave_nothing_behind(
    backend: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await leave_nothing_behind(backend, 2500, monkeypatch)
