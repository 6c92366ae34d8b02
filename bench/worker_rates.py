"""Workers that answer what was submitted: answers per second, and what each costs.

    python bench/worker_rates.py postgresql://me@localhost/postgres

Each worker is a process with `db.work()`, and no engine. The answers come from a model that does
not wait: what is measured is everything but the provider. The CPU is that of the workers, without
their database. What the database does is looked at fifty times a second.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any

from pydantic_ai.messages import ModelMessage
from pydantic_ai.models.function import AgentInfo, FunctionModel
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from chatrecord.records import ChatRecord
from chatrecord.sqlalchemy import Database, count_runs, create_chat
from shared import empty_database

TINY = {"questions": 4, "workers": (1,), "pieces": 3, "concurrency": 2}

_SEEN = text(
    "SELECT coalesce(wait_event_type, 'CPU'), coalesce(wait_event, ''), left(query, 60) "
    "FROM pg_stat_activity WHERE datname = current_database() AND state = 'active' "
    "AND pid <> pg_backend_pid()"
)


@dataclass
class Rate:
    """What so many workers have done."""

    workers: int
    answers: int
    seconds: float
    cpu: float
    seen: Counter[tuple[str, str, str]] = field(default_factory=Counter)


async def run(
    server: str, *, questions: int, workers: Sequence[int], pieces: int, concurrency: int
) -> list[Rate]:
    """The rates of each number of workers, one after the other, each on an empty database."""
    return [await _rate(server, each, questions, pieces, concurrency) for each in workers]


async def _rate(server: str, workers: int, questions: int, pieces: int, concurrency: int) -> Rate:
    context = multiprocessing.get_context("spawn")
    async with empty_database(server) as url, Database(url) as db:
        await db.create_tables()
        pipes, processes = [], []
        for _ in range(workers):
            ours, theirs = context.Pipe()
            process = context.Process(target=_worker, args=(url, pieces, concurrency, theirs))
            process.start()
            pipes.append(ours)
            processes.append(process)
        for pipe in pipes:  # until it has started
            await asyncio.to_thread(pipe.recv)
        chats = [await create_chat(db, "test") for _ in range(questions)]
        for chat in chats:
            await chat.submit("Go")
        seen: Counter[tuple[str, str, str]] = Counter()
        began = time.perf_counter()
        for pipe in pipes:
            pipe.send("go")
        while await count_runs(db, status="complete") < questions:
            await _look(db, seen)
        seconds = time.perf_counter() - began
        for pipe in pipes:
            pipe.send("stop")
        cpu = sum([await asyncio.to_thread(pipe.recv) for pipe in pipes])
        for process in processes:
            process.join()
    return Rate(workers, questions, seconds, cpu, seen)


async def _look(db: Database[Any], seen: Counter[tuple[str, str, str]]) -> None:
    """What the sessions of the workers do, for a fifth of a second."""
    for _ in range(10):
        await asyncio.sleep(0.02)
        with suppress(DBAPIError):  # other databases do not tell
            async with db.engine.connect() as connection:
                found = await connection.execute(_SEEN)
                seen.update(tuple(map(str, row)) for row in found)


def _worker(url: str, pieces: int, concurrency: int, parent: Connection) -> None:
    asyncio.run(_work(url, pieces, concurrency, parent))


async def _work(url: str, pieces: int, concurrency: int, parent: Connection) -> None:
    async def answer(_messages: list[ModelMessage], _info: AgentInfo) -> AsyncIterator[str]:
        for place in range(pieces):
            yield f"word{place} "

    def llm_for(_chat: ChatRecord) -> FunctionModel:
        return FunctionModel(stream_function=answer, model_name="fast")

    stop = asyncio.Event()
    async with Database(url) as db:
        parent.send("ready")
        await asyncio.to_thread(parent.recv)
        cpu = time.process_time()
        working = asyncio.create_task(db.work(llm_for, stop=stop, concurrency=concurrency))
        await asyncio.to_thread(parent.recv)
        stop.set()
        await working
        parent.send(time.process_time() - cpu)


def table(rates: Sequence[Rate]) -> None:
    """Print them, and what the database was seen doing."""
    print(
        "| workers | answers per second | CPU of the workers per answer, ms |",
        "|---|---|---|",
        sep="\n",
    )
    for rate in rates:
        each = rate.cpu / rate.answers * 1000
        print(f"| {rate.workers} | {rate.answers / rate.seconds:,.0f} | {each:.1f} |")
    for rate in rates:
        print(f"\n{rate.workers} workers, seen most often:")
        for (kind, event, query), times in rate.seen.most_common(6):
            print(f"  {times:5} {kind} {event}: {' '.join(query.split())}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("server")
    parser.add_argument("--questions", type=int, default=600)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--pieces", type=int, default=30)
    parser.add_argument("--concurrency", type=int, default=10)
    given = vars(parser.parse_args())
    table(asyncio.run(run(given.pop("server"), **given)))


if __name__ == "__main__":
    main()
