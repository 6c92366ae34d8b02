"""A process that forks, and what its child finds of what came along."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from datetime import timedelta
from multiprocessing.connection import Connection
from uuid import UUID

from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import StaticPool

from chatrecord import ChatStream
from chatrecord.errors import ConfigurationError
from chatrecord.sqlalchemy import Database, create_chat, load_chat, sync
from chatrecord.testing import Script, hang, say


def two_databases(url: str, told: Connection) -> None:
    """Two databases share an engine, and take turns on it in a child."""
    pool = {} if url.endswith(".db") else {"poolclass": StaticPool}
    engine = create_async_engine(url, **pool)
    one, other = Database(engine), Database(engine)
    _in_child(lambda: told.send(asyncio.run(_turns(one, other))))


def with_replica(url: str, told: Connection) -> None:
    """Plain code reads from a replica, and so does its child."""
    db = Database(url, read=url, read_after_write=timedelta(microseconds=1))
    sync.wait(db.create_tables())
    chat = sync.create_chat(db, Script([say("one")], [say("two")]))
    chat.ask("Hi")
    before = chat.messages()

    def child() -> None:
        there = sync.load_chat(db, Script([say("two")]), chat.id)
        reply = there.ask("And?")
        told.send((len(before), reply.text, len(there.messages())))

    _in_child(child)
    told.send(len(chat.messages()))
    sync.wait(db.close())


def plain_stream(url: str, told: Connection) -> None:
    """Plain code reads a stream, and its child reads on in it."""
    db = Database(url)
    sync.wait(db.create_tables())
    chat = sync.create_chat(db, Script([say("Hel"), hang()]))
    stream = chat.stream("Hi")
    next(stream)
    followed = chat.follow()
    next(followed)
    lines = sync.export_chat(db, chat.id)
    next(lines)

    def child() -> None:
        with stream:
            told.send(
                [_refusal(lambda each=each: list(each)) for each in (stream, followed, lines)]
            )

    _in_child(child)
    told.send((chat.active_run() is not None, len(list(lines)) > 1))
    chat.stop()
    sync.wait(db.close())


def awaited_stream(url: str, told: Connection) -> None:
    """A coroutine reads a stream, and its child reads on in it and in what follows the run."""
    asyncio.run(_awaited_stream(url, told))


async def _awaited_stream(url: str, told: Connection) -> None:
    async with Database(url) as db, Database(url) as elsewhere:
        await db.create_tables()
        chat = await create_chat(db, Script([say("Hel"), hang()]), on_disconnect="stop")
        stream = chat.stream("Hi")
        await anext(stream)
        followed = (await load_chat(elsewhere, Script(), chat.id)).follow()
        await anext(followed)

        async def child() -> None:
            ways: list[Callable[[], Awaitable[object]]] = [
                lambda: anext(stream), stream.take, stream.begun, lambda: anext(followed),
            ]  # fmt: skip
            refusals = [await _awaited_refusal(way) for way in ways]
            await stream.close()
            told.send((refusals, await _first_of(db, chat.id, stream)))

        _in_child(lambda: asyncio.run(child()))
        told.send(await chat.active_run() is not None)
        await chat.stop()


async def _first_of(db: Database, chat_id: UUID, stream: ChatStream[str]) -> str:
    """The first text of the same run, followed in this process."""
    chat = await load_chat(db, Script(), chat_id)
    return (await anext(chat.follow(stream.run_id))).text


async def _turns(*databases: Database) -> tuple[list[str], list[str]]:
    events: list[str] = []

    async def take_a_turn(name: int, db: Database) -> None:
        async with db.store.transaction():
            events.append(f"{name} began")
            await asyncio.sleep(0.05)
            events.append(f"{name} ended")

    await databases[0].create_tables()
    await asyncio.gather(*(take_a_turn(n, db) for n, db in enumerate(databases)))
    chats = [await create_chat(db, Script([say(*["x"] * 10, pause=0.005)])) for db in databases * 4]
    replies = await asyncio.gather(*(chat.ask("Go") for chat in chats))
    for db in databases:
        await db.close()
    return events, [reply.text for reply in replies]


def _in_child(work: Callable[[], object]) -> None:
    child = os.fork()
    if child == 0:
        signal.alarm(60)  # nobody is left alone that waits for ever
        try:
            work()
        finally:
            os._exit(0)
    os.waitpid(child, 0)


def _refusal(work: Callable[[], object]) -> str:
    try:
        return f"no refusal, but {work()!r}"
    except ConfigurationError as error:
        return str(error)


async def _awaited_refusal(work: Callable[[], Awaitable[object]]) -> str:
    try:
        return f"no refusal, but {await work()!r}"
    except ConfigurationError as error:
        return str(error)
