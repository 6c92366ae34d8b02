"""What the benches share: databases of their own, a scripted LLM, and medians side by side."""

from __future__ import annotations

import gc
import sys
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter, process_time
from typing import Any, TypeAlias
from uuid import UUID, uuid4

from pydantic_ai.messages import ModelMessage, ModelResponse, ToolReturnPart
from pydantic_ai.models.function import AgentInfo, DeltaToolCall, DeltaToolCalls, FunctionModel
from pydantic_ai.models.wrapper import WrapperModel
from sqlalchemy import make_url

from chatrecord.ids import new_id
from chatrecord.records import Message
from chatrecord.runs import journal
from chatrecord.sqlalchemy import Database
from chatrecord.store.changes import Changes

TEXT = "Trains within Europe are booked in second class, and flights of four hours in economy. " * 7
"""An answer of about 600 characters."""

PIECES = tuple(TEXT[start : start + 30] for start in range(0, len(TEXT), 30))

Cell: TypeAlias = str | int | float


def add(a: int, b: int) -> int:
    """The tool of the turns that call one."""
    return a + b


class Answers(FunctionModel):
    """Gives the same answer for ever, in pieces; where a tool is offered, after calling it."""

    def __init__(self) -> None:
        super().__init__(stream_function=self._answer, model_name="answers")

    async def _answer(
        self, messages: list[ModelMessage], info: AgentInfo
    ) -> AsyncIterator[str | DeltaToolCalls]:
        if info.function_tools and not _holds_a_result(messages[-1]):
            yield {0: DeltaToolCall(name="add", json_args='{"a": 1, "b": 2}')}
        else:
            for piece in PIECES:
                yield piece


def _holds_a_result(message: ModelMessage) -> bool:
    return any(isinstance(part, ToolReturnPart) for part in message.parts)


class Drained(WrapperModel):
    """pydantic-ai alone, as lean as it can be: the stream is read to its end, and that is all."""

    async def request(self, *request: Any) -> ModelResponse:
        async with self.wrapped.request_stream(*request) as stream:
            async for _ in stream:
                pass
            return stream.get()


@asynccontextmanager
async def empty_database(server: str) -> AsyncIterator[str]:
    """The URL of a database of our own on this server (or in a file), gone afterwards."""
    url = make_url(server)
    if url.get_backend_name() == "sqlite":
        with TemporaryDirectory() as folder:
            yield f"sqlite:///{folder}/bench.db"
        return
    import asyncpg

    name = f"bench_{uuid4().hex[:12]}"
    admin = await asyncpg.connect(dsn_of(server))
    try:
        await admin.execute(f"CREATE DATABASE {name}")
        try:
            yield url.set(database=name).render_as_string(hide_password=False)
        finally:
            await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        await admin.close()


def dsn_of(url: str) -> str:
    """The URL as the bare driver takes it."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def path_of(url: str) -> Path:
    """The file of an SQLite database."""
    return Path(make_url(url).database or "")


def servers() -> list[str]:
    """SQLite, and what is named on the command line."""
    return ["sqlite:///", *sys.argv[1:]]


@contextmanager
def ticking(seconds: float) -> Iterator[None]:
    """The journal writes so often; hardly ever, where it is to be kept out of the figures."""
    usual, journal.FLUSH_SECONDS = journal.FLUSH_SECONDS, seconds
    try:
        yield
    finally:
        journal.FLUSH_SECONDS = usual


NEVER = 60.0


def backend_of(url: str) -> str:
    return {"sqlite": "SQLite"}.get(make_url(url).get_backend_name(), "PostgreSQL")


async def lengthen(
    db: Database[Any], chat_id: UUID, messages: int, like: Sequence[Message]
) -> None:
    """Give a chat this many more messages, which are copies of these."""
    last = await db.store.messages(chat_id, limit=1, before=None)
    behind = last[0].seq if last else 0
    for start in range(0, messages, 1000):
        changes = Changes(chat_id)
        for place in range(start, min(start + 1000, messages)):
            seq = behind + place + 1
            source = like[place % len(like)]
            changes.add(replace(source, id=new_id(), chat_id=chat_id, seq=seq, run_id=None))
        changes.next_seq = behind + messages + 1
        await db.store.write(changes)


@dataclass(frozen=True)
class Cost:
    """Seconds on the clock, and of the process on all its threads."""

    wall: float
    cpu: float

    def __sub__(self, other: Cost) -> Cost:
        return Cost(self.wall - other.wall, self.cpu - other.cpu)

    def __truediv__(self, other: Cost | float) -> Cost:
        if isinstance(other, Cost):
            return Cost(self.wall / other.wall, self.cpu / other.cpu)
        return Cost(self.wall / other, self.cpu / other)


async def cost(work: Callable[[], Awaitable[object]]) -> Cost:
    wall, cpu = perf_counter(), process_time()
    await work()
    return Cost(perf_counter() - wall, process_time() - cpu)


Turn: TypeAlias = Callable[[], Awaitable[Callable[[], Awaitable[object]]]]
"""Makes everything ready, and returns the work that is to be measured."""


async def side_by_side(turns: Mapping[str, Turn], rounds: int) -> dict[str, Cost]:
    """The median of each, measured in turns: whatever slows the machine slows all of them."""
    taken: dict[str, list[Cost]] = {name: [] for name in turns}
    for turn in turns.values():
        await (await turn())()
    gc.collect()
    gc.freeze()
    for number in range(rounds):
        for name in rotated(list(turns), number):
            work = await turns[name]()
            taken[name].append(await cost(work))
    gc.unfreeze()
    return {name: middle(costs) for name, costs in taken.items()}


def rotated(names: list[str], by: int) -> list[str]:
    """Nobody is always the first."""
    by %= len(names)
    return names[by:] + names[:by]


def middle(costs: Iterable[Cost]) -> Cost:
    taken = list(costs)
    return Cost(median(each.wall for each in taken), median(each.cpu for each in taken))


def show(title: str, header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> None:
    """A table in Markdown."""
    print(f"\n{title}\n")
    print(f"| {' | '.join(header)} |")
    print(f"|{'---|' * len(header)}")
    for row in rows:
        print(f"| {' | '.join(map(told, row))} |")


def told(cell: Cell) -> str:
    if isinstance(cell, float):
        return f"{cell:,.2f}" if abs(cell) < 100 else f"{cell:,.0f}"
    return f"{cell:,}" if isinstance(cell, int) else cell
