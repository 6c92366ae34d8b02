"""Many live streams in one process: statements, waiting, and what is written for an answer.

    python bench/streams.py                                      # SQLite
    python bench/streams.py postgresql://me@localhost/postgres   # a server: makes its own database

Every stream sends twenty pieces a second. All of it is taken while all of them are live, so that
the beginning and the end of a turn are not in it, nor the seconds in which statements are counted.
The wait is from the moment the provider yields a piece to the moment its reader has it, which holds
the wait for the tick (half of one on average) and its commit, because nothing is delivered before
it is stored. "Alone" is pydantic-ai with the same provider, and a reader in a task of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from time import perf_counter, process_time
from typing import Any

import asyncpg
from pydantic_ai import Agent
from pydantic_ai.messages import ModelMessage, ModelResponse
from pydantic_ai.models.function import AgentInfo, FunctionModel
from pydantic_ai.models.wrapper import WrapperModel
from sqlalchemy import event, text

from chatrecord.sqlalchemy import Database, create_chat
from shared import backend_of, dsn_of, empty_database, path_of, servers, show, ticking
from statements import counting

PIECE = "twenty letters here "
PAUSE = 0.05
STREAMS = (1, 50, 200, 500)
TICKS = (0.05, 0.1)


class Gates:
    """Holds all streams until each has begun, and again until each has sent its last piece."""

    def __init__(self, streams: int) -> None:
        self.begun = asyncio.Barrier(streams + 1)
        self.sent = asyncio.Barrier(streams + 1)
        self.counted = asyncio.Event()


class Paced(FunctionModel):
    """One answer, whose pieces are stamped as they are sent."""

    def __init__(self, gates: Gates, pieces: int) -> None:
        super().__init__(stream_function=self._answer, model_name="paced")
        self._gates = gates
        self._pieces = pieces
        self.sent: list[float] = []

    async def _answer(self, _messages: list[ModelMessage], _info: AgentInfo) -> AsyncIterator[str]:
        await self._gates.begun.wait()
        due = perf_counter() + PAUSE * (hash(id(self)) % 97) / 97  # not all at the same moment
        for _ in range(self._pieces):
            await asyncio.sleep(max(0.0, due - perf_counter()))
            due += PAUSE
            self.sent.append(perf_counter())
            yield PIECE
        await self._gates.sent.wait()
        await self._gates.counted.wait()


@dataclass
class Waits:
    """How long pieces have waited for their readers, since this was cleared."""

    seconds: list[float] = field(default_factory=list)
    since: float = 0.0

    def clear(self) -> None:
        self.seconds.clear()
        self.since = perf_counter()

    def arrived(self, sent: Sequence[float]) -> None:
        now = perf_counter()
        self.seconds += [now - at for at in sent if at >= self.since]

    def percentile(self, percent: int) -> float:
        """In milliseconds."""
        return sorted(self.seconds)[len(self.seconds) * percent // 100] * 1000


class Read(WrapperModel):
    """Hands each event of its stream to a reader."""

    def __init__(self, model: Paced) -> None:
        super().__init__(model)
        self.events: asyncio.Queue[bool] = asyncio.Queue()

    async def request(self, *request: Any) -> ModelResponse:
        async with self.wrapped.request_stream(*request) as stream:
            async for _ in stream:
                self.events.put_nowait(True)
            self.events.put_nowait(False)
            return stream.get()


@dataclass(frozen=True)
class Alone:
    """pydantic-ai alone."""

    p99: float
    cpu: float


async def alone(streams: int, pieces: int) -> Alone:
    gates, waits = Gates(streams), Waits()
    gates.counted.set()

    async def read(model: Paced) -> None:
        wrapper = Read(model)
        answering = asyncio.create_task(Agent(wrapper).run("Go"))
        arrived = 0
        while await wrapper.events.get():
            waits.arrived(model.sent[arrived : arrived + 1])
            arrived += 1
        await answering

    models = [Paced(gates, pieces) for _ in range(streams)]
    reading = [asyncio.create_task(read(model)) for model in models]
    await gates.begun.wait()
    began, cpu = perf_counter(), process_time()
    await gates.sent.wait()
    took, cpu = perf_counter() - began, process_time() - cpu
    await asyncio.gather(*reading)
    return Alone(waits.percentile(99), cpu / took)


@dataclass(frozen=True)
class Result:
    database: str
    flush: float
    streams: int
    statements: float
    """A second, while all were live."""
    p50: float
    p99: float
    """Milliseconds from chunk to delivered."""
    cpu: float
    """Of one core, while all were live."""
    rows: float
    """In the journal, for an answer."""
    written: float
    """Bytes that the journal writes to the log, its deletion included, by the bytes of the text."""
    late: float
    """How much longer than planned the pieces took to be sent: above 1 the process is too busy."""
    p99_alone: float
    cpu_alone: float


async def measure(url: str, flush: float, streams: int, pieces: int) -> Result:
    async with Database(url) as db:
        if backend_of(url) == "SQLite":
            event.listen(db.engine.sync_engine, "connect", _without_checkpoints)
        await db.create_tables()
        gates, waits = Gates(streams), Waits()
        models = [Paced(gates, pieces) for _ in range(streams)]
        chats = [await create_chat(db, model) for model in models]
        stored, all_stored = 0, asyncio.Event()

        async def read(chat: Any, model: Paced) -> None:
            nonlocal stored
            arrived = 0
            async for chunk in chat.stream("Go"):
                count = len(chunk.text) // len(PIECE)
                waits.arrived(model.sent[arrived : arrived + count])
                arrived += count
                stored += len(chunk.text)
                if stored == streams * pieces * len(PIECE):
                    all_stored.set()

        reading = [
            asyncio.create_task(read(chat, model))
            for chat, model in zip(chats, models, strict=True)
        ]
        await gates.begun.wait()
        counted = pieces * PAUSE / 4  # not longer: what is counted goes through SQLAlchemy
        with counting(db) as count:
            await asyncio.sleep(counted)
        waits.clear()
        before, stored_before = await log_position(url), stored
        began, cpu = perf_counter(), process_time()
        await gates.sent.wait()
        await asyncio.sleep(2 * flush)  # until the last of them is stored
        took, cpu = perf_counter() - began, process_time() - cpu
        await all_stored.wait()
        written = (await log_position(url) - before) / (stored - stored_before)
        before = await log_position(url)
        rows = await _emptied(db)
        written += (await log_position(url) - before) / stored
        gates.counted.set()
        await asyncio.gather(*reading)
    beside = await alone(streams, pieces)
    return Result(
        backend_of(url),
        flush,
        streams,
        count.statements / counted,
        waits.percentile(50),
        waits.percentile(99),
        cpu / took,
        rows / streams,
        written,
        (took - 2 * flush) / (pieces * PAUSE - counted),
        beside.p99,
        beside.cpu,
    )


def _without_checkpoints(connection: Any, _record: object) -> None:
    """So that the length of the log tells how much was written."""
    cursor = connection.cursor()
    cursor.execute("PRAGMA wal_autocheckpoint=0")
    cursor.close()


async def _emptied(db: Database[Any]) -> int:
    """Delete the journal, as the ends of all runs do. Returns its rows."""
    async with db.engine.begin() as connection:
        return (await connection.execute(text("DELETE FROM llm_chunks"))).rowcount


async def log_position(url: str) -> int:
    """How many bytes have been written to the write-ahead log."""
    if backend_of(url) == "SQLite":
        log = path_of(url).with_name(path_of(url).name + "-wal")
        return log.stat().st_size if log.exists() else 0
    connection = await asyncpg.connect(dsn_of(url))
    position: int = await connection.fetchval(
        "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint"
    )
    await connection.close()
    return position


def table(results: list[Result]) -> None:
    show(
        "Live streams in one process, twenty pieces of twenty letters a second each",
        [
            *("database", "tick ms", "streams", "statements/s", "wait ms p50", "p99"),
            *("cores", "journal rows an answer", "log bytes by text bytes", "late"),
            *("alone: p99", "cores"),
        ],
        [
            [
                result.database,
                round(result.flush * 1000),
                result.streams,
                round(result.statements),
                round(result.p50),
                round(result.p99),
                result.cpu,
                round(result.rows),
                result.written,
                result.late,
                round(result.p99_alone),
                result.cpu_alone,
            ]
            for result in results
        ],
    )


TINY: dict[str, Any] = {"ticks": (0.05,), "streams": (2,), "pieces": 5}


async def run(
    on: Sequence[str],
    ticks: Sequence[float] = TICKS,
    streams: Sequence[int] = STREAMS,
    pieces: int = 80,
) -> list[Result]:
    results = []
    for server in on:
        for flush in ticks:
            for number in streams:
                async with empty_database(server) as url:
                    with ticking(flush):
                        results.append(await measure(url, flush, number, pieces))
    return results


if __name__ == "__main__":
    table(asyncio.run(run(servers())))
