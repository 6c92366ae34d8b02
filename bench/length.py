"""What a turn costs in a long chat, beside the same turn in a short one.

    python bench/length.py                                      # SQLite
    python bench/length.py postgresql://me@localhost/postgres   # a server: makes its own database

With a window of ten messages every turn sends as much, whatever the length of the chat. With the
default window a chat of ten messages sends ten, and a long one four hundred: that turn is compared
with pydantic-ai alone, which is handed four hundred messages, too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic_ai import Agent

from chatrecord import Window
from chatrecord.pydantic_ai.messages import history_of
from chatrecord.sqlalchemy import Database, create_chat, load_chat
from shared import (
    NEVER,
    Answers,
    Cost,
    Drained,
    backend_of,
    empty_database,
    lengthen,
    servers,
    show,
    side_by_side,
    ticking,
)

LENGTHS = (10, 10_000, 100_000)
SMALL = 10


@dataclass(frozen=True)
class Result:
    database: str
    window: int
    before: int
    turn: Cost
    to_shortest: Cost
    alone: Cost


async def measure(url: str, lengths: Sequence[int], rounds: int) -> list[Result]:
    async with Database(url) as db:
        await db.create_tables()
        llm = Answers()
        template = await create_chat(db, llm)
        await template.ask("What is our travel policy?")
        pair = await template.messages()
        chats = {}
        for length in lengths:
            chat = await create_chat(db, llm)
            await lengthen(db, chat.id, length, pair)
            chats[length] = chat.id
        async with db.engine.begin() as connection:
            await connection.exec_driver_sql("ANALYZE")

        turns: dict[str, Any] = {}
        full = Window().messages
        for window in (SMALL, full):
            for length in lengths:
                chat_id = chats[length]
                turns[f"{window} {length}"] = _turn(db, llm, chat_id, window, pair)
            history = history_of(pair * (window // 2), is_going_on=False)
            turns[f"{window} alone"] = _alone(history)
        costs = await side_by_side(turns, rounds)
        return [
            Result(
                backend_of(url),
                window,
                length,
                (taken := costs[f"{window} {length}"]),
                taken / costs[f"{window} {lengths[0]}"],
                costs[f"{window} alone"],
            )
            for window in (SMALL, full)
            for length in lengths
        ]


def _turn(db: Database[Any], llm: Answers, chat_id: Any, window: int, pair: Any) -> Any:
    async def ready() -> Any:
        at = chat_id
        if window > SMALL and (await db.store.messages(chat_id, limit=1, before=None))[0].seq < 99:
            fresh = await create_chat(db, llm)  # a chat that grows would not stay the shortest
            await lengthen(db, fresh.id, SMALL, pair)
            at = fresh.id
        chat = await load_chat(db, llm, at, window=Window(messages=window))
        return lambda: chat.ask("And for planes?")

    return ready


def _alone(history: Any) -> Any:
    agent = Agent(Drained(Answers()))

    async def ready() -> Any:
        return lambda: agent.run("And for planes?", message_history=history)

    return ready


def table(results: list[Result]) -> None:
    show(
        "A turn by the length of its chat (milliseconds, medians)",
        [
            *("database", "window", "messages before", "time", "CPU", "time to shortest"),
            *("CPU to shortest", "pydantic-ai alone, time", "CPU"),
        ],
        [
            [
                result.database,
                result.window,
                result.before,
                result.turn.wall * 1000,
                result.turn.cpu * 1000,
                result.to_shortest.wall,
                result.to_shortest.cpu,
                result.alone.wall * 1000,
                result.alone.cpu * 1000,
            ]
            for result in results
        ],
    )


TINY = {"lengths": (10, 20), "rounds": 1}


async def run(
    on: Sequence[str], lengths: Sequence[int] = LENGTHS, rounds: int = 40
) -> list[Result]:
    results = []
    with ticking(NEVER):
        for server in on:
            async with empty_database(server) as url:
                results += await measure(url, lengths, rounds)
    return results


if __name__ == "__main__":
    table(asyncio.run(run(servers())))
