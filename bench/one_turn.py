"""Takes turns when told to. See against.py.

    python bench/one_turn.py URL KIND WHO

A line with a number has so many turns made ready, the next line has them taken: what they took is
printed. `WHO` is the library, or what it is measured against. Under Valgrind, instructions are
counted while turns are taken, and at no other time: see instructions.py.
"""

from __future__ import annotations

import asyncio
import gc
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from ctypes import CDLL
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from pydantic_ai import Agent

from chatrecord.pydantic_ai.messages import history_of
from chatrecord.sqlalchemy import Database, create_chat, load_chat
from floor import Floor, driver_of
from shared import NEVER, Answers, Drained, add, cost, lengthen, ticking

PROMPT = "What is our travel policy for trains within Europe?"

Work: TypeAlias = Callable[[], Awaitable[object]]
Ready: TypeAlias = Callable[[], Awaitable[Work]]


@dataclass(frozen=True)
class Kind:
    """The tools of a turn, how many messages its chat has before, and how often they were read."""

    tools: Sequence[Callable[..., object]] = ()
    before: int = 10
    reads: int = 0


KINDS = {
    "plain": Kind(),
    "with a tool call": Kind(tools=[add]),
    "400 messages": Kind(before=400),
    "400 messages, again": Kind(before=400, reads=3),
}


@asynccontextmanager
async def rows(url: str, kind: Kind) -> AsyncIterator[tuple[Database[Any], Ready, Any, Any]]:
    """A database, what makes a chat of the right length in it, an answer, and messages like it."""
    async with Database(url) as db:
        await db.create_tables()
        template = await create_chat(db, Answers(), tools=kind.tools)
        reply = await template.ask(PROMPT)
        pair = [(await template.messages())[place] for place in (0, -1)]

        async def chat() -> Any:
            made = await create_chat(db, Answers())
            await lengthen(db, made.id, kind.before, pair)
            return made.id

        yield db, chat, reply, pair


@asynccontextmanager
async def chatrecord(url: str, kind: Kind) -> AsyncIterator[Ready]:
    async with rows(url, kind) as (db, chat, _, _):

        async def ready() -> Work:
            loaded = await load_chat(db, Answers(), await chat(), tools=kind.tools)
            for _ in range(kind.reads):
                await loaded.ask(PROMPT)
            return lambda: loaded.ask(PROMPT)

        yield ready


@asynccontextmanager
async def floor(url: str, kind: Kind) -> AsyncIterator[Ready]:
    async with rows(url, kind) as (_, chat, reply, _), driver_of(url) as driver:
        by_hand = await Floor.like(driver, reply.run_id)

        async def ready() -> Work:
            chat_id: Any = await chat()
            return lambda: by_hand.turn(chat_id)

        yield ready


@asynccontextmanager
async def pydantic_ai(url: str, kind: Kind) -> AsyncIterator[Ready]:
    async with rows(url, kind) as (_, _, _, pair):
        agent = Agent(Drained(Answers()), tools=kind.tools)
        history = history_of(pair * (kind.before // 2), is_going_on=False)

        async def ready() -> Work:
            return lambda: agent.run(PROMPT, message_history=history)

        yield ready


@asynccontextmanager
async def openai_agents(url: str, kind: Kind) -> AsyncIterator[Ready]:
    import instead

    async with instead.openai_agents(url, kind.before) as subject:

        async def ready() -> Work:
            return subject.kept

        yield ready


@asynccontextmanager
async def openai_agents_alone(url: str, kind: Kind) -> AsyncIterator[Ready]:
    import instead

    async with instead.openai_agents(url, kind.before) as subject:

        async def ready() -> Work:
            return subject.alone

        yield ready


WHO = {
    "chatrecord": chatrecord,
    "floor": floor,
    "pydantic-ai": pydantic_ai,
    "openai-agents": openai_agents,
    "openai-agents alone": openai_agents_alone,
}


def written() -> int:
    """Bytes that this process has written so far, to files and sockets."""
    found = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
    return int(found["wchar"])


async def main(url: str, kind: str, who: str) -> None:
    counter = CDLL(os.environ["COUNTER"]) if "COUNTER" in os.environ else None
    async with WHO[who](url, KINDS[kind]) as ready:
        gc.freeze()
        print("ready", flush=True)
        while line := await asyncio.to_thread(sys.stdin.readline):
            works = [await ready() for _ in range(int(line))]

            async def turns(works: Sequence[Work] = works) -> None:
                for work in works:
                    await work()

            gc.collect()
            print("prepared", flush=True)
            await asyncio.to_thread(sys.stdin.readline)
            before = written()
            if counter is not None:
                counter.start()
            taken = await cost(turns)
            if counter is not None:
                counter.stop()
            print(taken.wall, taken.cpu, written() - before, flush=True)


if __name__ == "__main__":
    with ticking(NEVER):  # its ticks depend on how long the provider takes: see streams.py
        asyncio.run(main(*sys.argv[1:4]))
