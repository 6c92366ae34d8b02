"""Many live streams in one process: statements, waiting, and what is written for an answer.

    python bench/streams.py                                      # SQLite
    python bench/streams.py postgresql://me@localhost/postgres   # a server: makes its own database

Every stream sends twenty pieces a second. Statements and waiting are taken while all of them are
live; what is written, from the first transaction to the last. The wait is from the moment the
provider yields a piece to the moment its reader has it, which holds the wait for the tick (half of
one on average) and its commit, because nothing is delivered before it is stored.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from time import perf_counter, process_time
from typing import Any

import asyncpg
from pydantic_ai.messages import ModelMessage
from pydantic_ai.models.function import AgentInfo, FunctionModel
from sqlalchemy import event

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
    """Bytes of the write-ahead log, by the bytes of the text."""
    late: float
    """How much longer than planned the pieces took to be sent: above 1 the process is too busy."""


async def measure(url: str, flush: float, streams: int, pieces: int) -> Result:
    async with Database(url) as db:
        if backend_of(url) == "SQLite":
            event.listen(db.engine.sync_engine, "connect", _without_checkpoints)
        await db.create_tables()
        gates = Gates(streams)
        models = [Paced(gates, pieces) for _ in range(streams)]
        chats = [await create_chat(db, model) for model in models]
        waits: list[float] = []

        async def read(chat: Any, model: Paced) -> None:
            arrived = 0
            async for chunk in chat.stream("Go"):
                now = perf_counter()
                count = len(chunk.text) // len(PIECE)
                waits.extend(now - sent for sent in model.sent[arrived : arrived + count])
                arrived += count

        before = await log_position(url)
        reading = [
            asyncio.create_task(read(chat, model))
            for chat, model in zip(chats, models, strict=True)
        ]
        await gates.begun.wait()
        counted = pieces * PAUSE / 4  # not longer: what is counted goes through SQLAlchemy
        with counting(db) as count:
            await asyncio.sleep(counted)
        began, cpu = perf_counter(), process_time()
        await gates.sent.wait()
        await asyncio.sleep(2 * flush)  # until the last of them is stored
        took, cpu = perf_counter() - began, process_time() - cpu
        rows = await _journaled(db)
        gates.counted.set()
        await asyncio.gather(*reading)
        written = await log_position(url) - before
    waits.sort()
    return Result(
        backend_of(url),
        flush,
        streams,
        count.statements / counted,
        waits[len(waits) // 2] * 1000,
        waits[len(waits) * 99 // 100] * 1000,
        cpu / took,
        rows / streams,
        written / (streams * pieces * len(PIECE)),
        (took - 2 * flush) / (pieces * PAUSE - counted),
    )


def _without_checkpoints(connection: Any, _record: object) -> None:
    """So that the length of the log tells how much was written."""
    cursor = connection.cursor()
    cursor.execute("PRAGMA wal_autocheckpoint=0")
    cursor.close()


async def _journaled(db: Database[Any]) -> int:
    async with db.engine.connect() as connection:
        found = await connection.exec_driver_sql("SELECT count(*) FROM llm_chunks")
        rows: int = found.scalar_one()
        return rows


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
