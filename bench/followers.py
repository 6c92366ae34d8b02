"""Readers of live answers in other processes: how often those look, and how late they are.

    python bench/followers.py postgresql://me@localhost/postgres

One process gives the answers, and several web processes follow them. The delay of a piece is from
the moment the provider yields it to the moment a reader in another process has it.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from statistics import quantiles
from typing import Any

from pydantic_ai.messages import ModelMessage
from pydantic_ai.models.function import AgentInfo, FunctionModel

from chatrecord.runs import follower
from chatrecord.sqlalchemy import Database, create_chat, load_chat
from shared import empty_database

TINY = {"answers": 2, "readers": 4, "processes": 1, "seconds": 1.0, "rate": 5.0}


@dataclass
class Figures:
    """What the web processes have counted together."""

    wakes: int = 0
    statements: int = 0
    delays: list[float] = field(default_factory=list)
    cpu: float = 0.0
    seconds: float = 0.0
    since: float = 0.0
    """Pieces from before are what a reader is given at once, of an answer that runs already."""

    def add(self, other: Figures) -> None:
        """Those of one process."""
        self.wakes += other.wakes
        self.statements += other.statements
        self.delays += other.delays
        self.cpu += other.cpu
        self.seconds = max(self.seconds, other.seconds)


class Stamped(FunctionModel):
    """An answer without an end, whose pieces say when they were sent."""

    def __init__(self, rate: float, ended: asyncio.Event) -> None:
        super().__init__(stream_function=self._answer, model_name="stamped")
        self._pause, self._ended = 1 / rate, ended

    async def _answer(self, _messages: list[ModelMessage], _info: AgentInfo) -> AsyncIterator[str]:
        while not self._ended.is_set():
            yield f"{time.time():.4f} "
            await asyncio.sleep(self._pause)


async def run(
    server: str, *, answers: int, readers: int, processes: int, seconds: float, rate: float
) -> Figures:
    """The figures of so many readers, in web processes that have as many each."""
    figures, ended = Figures(), asyncio.Event()
    async with empty_database(server) as url, Database(url) as db:
        await db.create_tables()
        chats = [await create_chat(db, Stamped(rate, ended)) for _ in range(answers)]
        asking = [asyncio.create_task(chat.ask("Go")) for chat in chats]
        while any([await chat.active_run() is None for chat in chats]):  # noqa: ASYNC110 - rows
            await asyncio.sleep(0.1)
        context = multiprocessing.get_context("spawn")
        ids = [str(chats[place % answers].id) for place in range(readers)]
        pipes, web = [], []
        for place in range(processes):
            ours, theirs = context.Pipe(duplex=False)
            process = context.Process(
                target=_web_process, args=(url, ids[place::processes], seconds, theirs)
            )
            process.start()
            pipes.append(ours)
            web.append(process)
        for pipe in pipes:
            figures.add(await asyncio.to_thread(pipe.recv))
        for process in web:
            process.join()
        ended.set()
        await asyncio.gather(*asking)
    return figures


def _web_process(url: str, chat_ids: list[str], seconds: float, told: Connection) -> None:
    told.send(asyncio.run(_followed(url, chat_ids, seconds)))


async def _followed(url: str, chat_ids: list[str], seconds: float) -> Figures:
    figures, is_counted = Figures(), asyncio.Event()
    poll = follower.Follower._poll

    async def counted(self: Any, *args: Any) -> None:
        figures.wakes += is_counted.is_set()
        await poll(self, *args)

    follower.Follower._poll = counted  # type: ignore[method-assign]
    async with Database(url) as db:
        store = db.store
        for name in ("run_states", "journal_since"):
            setattr(store, name, _counting(getattr(store, name), figures, is_counted))
        reading = [asyncio.create_task(_read(db, each, figures, is_counted)) for each in chat_ids]
        await asyncio.sleep(5 if len(chat_ids) > 10 else 0.5)  # until all of them read
        figures.since = time.time()
        is_counted.set()
        began, cpu = time.perf_counter(), time.process_time()
        await asyncio.sleep(seconds)
        is_counted.clear()
        figures.seconds = time.perf_counter() - began
        figures.cpu = time.process_time() - cpu
        for task in reading:
            task.cancel()
        await asyncio.gather(*reading, return_exceptions=True)
    return figures


def _counting(method: Any, figures: Figures, is_counted: asyncio.Event) -> Any:
    async def counting(*args: Any, **named: Any) -> Any:
        figures.statements += is_counted.is_set()
        return await method(*args, **named)

    return counting


async def _read(db: Database, chat_id: str, figures: Figures, is_counted: asyncio.Event) -> None:
    chat = await load_chat(db, "test", chat_id)
    async for chunk in chat.follow():
        now = time.time()
        if is_counted.is_set() and chunk.kind == "text":
            sent = [float(stamp) for stamp in chunk.text.split()]
            figures.delays += [now - at for at in sent if at >= figures.since]


def table(figures: Figures) -> None:
    """Print them."""
    cuts = quantiles(figures.delays, n=100)
    rows = {
        "looks per second": figures.wakes / figures.seconds,
        "statements per second": figures.statements / figures.seconds,
        "pieces read per second": len(figures.delays) / figures.seconds,
        "delay p50 ms": cuts[49] * 1000,
        "delay p99 ms": cuts[98] * 1000,
        "CPU of the web processes, cores": figures.cpu / figures.seconds,
    }
    print("| all web processes together | |", "|---|---|", sep="\n")
    for name, value in rows.items():
        print(f"| {name} | {value:,.1f} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("server")
    parser.add_argument("--answers", type=int, default=200)
    parser.add_argument("--readers", type=int, default=1000)
    parser.add_argument("--processes", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--rate", type=float, default=5, help="pieces per second of an answer")
    given = vars(parser.parse_args())
    table(asyncio.run(run(given.pop("server"), **given)))


if __name__ == "__main__":
    main()
