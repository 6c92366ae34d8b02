"""What a turn costs beside the same rows written by hand through the bare driver.

    python bench/turn.py                                      # SQLite
    python bench/turn.py postgresql://me@localhost/postgres   # a server: makes its own database

Persistence is what a turn takes with the library less what the same turn takes with pydantic-ai
alone. It holds everything the library does: reading the history and making messages of it, turning
messages into JSON, guards, and the statements. The floor is the statements and nothing else; so is
the second floor, which goes through SQLAlchemy.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from pydantic_ai import Agent

from chatrecord.pydantic_ai.messages import history_of
from chatrecord.sqlalchemy import Database, create_chat, load_chat
from floor import Core, Floor, driver_of
from shared import (
    NEVER,
    Answers,
    Cost,
    Drained,
    add,
    backend_of,
    empty_database,
    lengthen,
    servers,
    show,
    side_by_side,
    ticking,
)

PROMPT = "What is our travel policy for trains within Europe?"
BEFORE = 10
"""Messages that a chat has before the turn that is measured."""


@dataclass(frozen=True)
class Result:
    database: str
    kind: str
    whole: Cost
    alone: Cost
    floor: Cost
    core: Cost

    @property
    def persistence(self) -> Cost:
        return self.whole - self.alone


async def measure(url: str, rounds: int) -> list[Result]:
    async with Database(url) as db, driver_of(url) as driver:
        await db.create_tables()
        results = []
        for kind, tools in (("plain", []), ("with a tool call", [add])):
            llm = Answers()
            template = await create_chat(db, llm, tools=tools)
            reply = await template.ask(PROMPT)
            pair = [(await template.messages())[place] for place in (0, -1)]
            history = history_of(pair * (BEFORE // 2), is_going_on=False)
            floor = await Floor.like(driver, reply.run_id)
            core = floor.through(Core(db.engine, driver))
            agent = Agent(Drained(Answers()), tools=tools)

            async def ready(llm: Any = llm, pair: Any = pair) -> UUID:
                chat = await create_chat(db, llm)
                await lengthen(db, chat.id, BEFORE, pair)
                return chat.id

            async def ours(ready: Any = ready, llm: Any = llm, tools: Any = tools) -> Any:
                chat = await load_chat(db, llm, await ready(), tools=tools)
                return lambda: chat.ask(PROMPT)

            async def alone(agent: Any = agent, history: Any = history) -> Any:
                return lambda: agent.run(PROMPT, message_history=history)

            async def bare(ready: Any = ready, floor: Any = floor) -> Any:
                chat_id = await ready()
                return lambda: floor.turn(chat_id)

            turns = {"ours": ours, "alone": alone, "floor": bare, "core": partial(bare, floor=core)}
            costs = await side_by_side(turns, rounds)
            results.append(Result(backend_of(url), kind, *costs.values()))
        return results


def table(results: list[Result]) -> None:
    show(
        "A turn: persistence against the floor (milliseconds, medians)",
        [
            *("database", "turn", "", "whole", "pydantic-ai alone", "persistence", "floor"),
            *("floor through SQLAlchemy", "ratio", "to that"),
        ],
        [
            [
                result.database,
                result.kind,
                name,
                *(
                    getattr(cost, key) * 1000
                    for cost in (
                        result.whole,
                        result.alone,
                        result.persistence,
                        result.floor,
                        result.core,
                    )
                ),
                getattr(result.persistence / result.floor, key),
                getattr(result.persistence / result.core, key),
            ]
            for result in results
            for name, key in (("time", "wall"), ("CPU", "cpu"))
        ],
    )


TINY = {"rounds": 1}


async def run(on: Sequence[str], rounds: int = 120) -> list[Result]:
    results = []
    with ticking(NEVER):  # its ticks depend on how long the provider takes: see streams.py
        for server in on:
            async with empty_database(server) as url:
                results += await measure(url, rounds)
    return results


if __name__ == "__main__":
    table(asyncio.run(run(servers())))
