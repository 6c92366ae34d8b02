"""Two processes of a crowd: one that asks and is killed, and one that reads along and decides."""

from __future__ import annotations

import asyncio
import os
import traceback
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from crowd import Person, Place, watch_for_the_unexpected

from chatrecord.sqlalchemy import list_chats


def asking(place: Place, chats: Sequence[str], seed: int, ready: Callable[[], None]) -> None:
    """Ask in all of these chats, one question after the other, until killed."""
    asyncio.run(_noted(place, _asking(place, chats, seed, ready)))


def looking_on(place: Place, chats: Sequence[str], seed: int, ending: Any) -> None:
    """Look at these chats, until the event is set."""
    asyncio.run(_noted(place, _looking_on(place, chats, seed, ending)))


async def _noted(place: Place, work: Coroutine[Any, Any, None]) -> None:
    watch_for_the_unexpected(place)
    try:
        await work
    except BaseException:
        place.log("wrong").write(traceback.format_exc())
        raise


async def _asking(place: Place, chats: Sequence[str], seed: int, ready: Callable[[], None]) -> None:
    async with place.database() as db:
        await _asks(Person(place, db, seed), chats, seed, ready)


async def _asks(person: Person, chats: Sequence[str], seed: int, ready: Callable[[], None]) -> None:
    async def ask_and_decide(chat_id: str, number: int) -> None:
        chat = await person.chat(chat_id)
        await person.ask(chat, f"question {seed}.{number}")
        if await chat.pending_approvals():
            await asyncio.sleep(person.chance.uniform(0, 0.3))
            await person.decide(chat)

    async def go_on(chat_id: str) -> None:
        for number in range(10_000):
            await person.tried(ask_and_decide(chat_id, number))

    ready()
    await asyncio.gather(*(go_on(chat_id) for chat_id in chats))


def preloading(place: Place, chats: Sequence[str], workers: int, pids: Any) -> None:
    """Open the database, then fork, as a server does that loads its application first."""
    db = place.database()
    children = []
    for number in range(workers):
        child = os.fork()
        if child == 0:
            try:
                place.log("owners").write(f"{db.runtime.journal.owner}\n")
                asyncio.run(_noted(place, _asks(Person(place, db, number), chats, number, int)))
            finally:
                os._exit(0)
        children.append(child)
    pids.send(children)
    for child in children:
        os.waitpid(child, 0)


async def _looking_on(place: Place, chats: Sequence[str], seed: int, ending: Any) -> None:
    async with place.database() as db:
        person = Person(place, db, seed)

        async def follow() -> None:
            await person.read((await person.chat(person.chance.choice(chats))).follow())

        async def decide() -> None:
            await person.decide(await person.chat(person.chance.choice(chats)))

        async def ask() -> None:
            chat = await person.chat(person.chance.choice(chats))
            await person.ask(chat, f"side {person.chance.random()}")

        async def repair() -> None:
            await db.repair()
            await list_chats(db, user_id="crowd")

        async def stop() -> None:
            await (await person.chat(person.chance.choice(chats))).stop()

        async def again_and_again(
            work: Callable[[], Coroutine[Any, Any, None]], pause: float
        ) -> None:
            while not ending.is_set():
                await asyncio.sleep(person.chance.uniform(0, pause))
                try:
                    async with asyncio.timeout(3):
                        await person.tried(work())
                except TimeoutError:
                    pass  # who waits for the dead waits as long as a lease, and somebody has left

        ways = [(follow, 0.1), (follow, 0.1), (decide, 0.5), (ask, 1.0), (repair, 0.3), (stop, 3.0)]
        await asyncio.gather(*(again_and_again(work, pause) for work, pause in ways))
