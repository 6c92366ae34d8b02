"""What a streamed chunk costs in CPU, with persistence and with pydantic-ai alone.

    python bench/chunks.py                                      # SQLite
    python bench/chunks.py postgresql://me@localhost/postgres   # a server: makes its own database

Per chunk is the difference between long answers and short ones, so that what a turn costs besides
(see turn.py) is not in it. "lean" is pydantic-ai's stream read to its end inside of an agent's run,
"usual" its `run_stream()` with text deltas, which is what an application would write.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from pydantic_ai import Agent
from pydantic_ai.messages import ModelMessage
from pydantic_ai.models import Model
from pydantic_ai.models.function import AgentInfo, FunctionModel

from chatrecord import Limits
from chatrecord.sqlalchemy import Database, create_chat
from provider import running
from shared import Cost, Drained, backend_of, cost, empty_database, middle, rotated, servers, show

SHORT = 10
CONDITIONS = (("script", 1, 0.0), ("script", 1, 0.02), ("script", 50, 0.04), ("HTTP", 50, 0.04))
"""Where the chunks come from, live streams, and the seconds between two chunks of each."""


Condition: TypeAlias = tuple[str, int, float]


def paced(chunks: int, pause: float) -> Model:
    async def answer(_messages: list[ModelMessage], _info: AgentInfo) -> AsyncIterator[str]:
        for _ in range(chunks):
            await asyncio.sleep(pause)
            yield "some words of it "

    return FunctionModel(stream_function=answer, model_name="paced")


def over_http(address: str) -> Model:
    from openai import AsyncOpenAI
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.providers.openai import OpenAIProvider

    client = AsyncOpenAI(base_url=address, api_key="none")
    return OpenAIChatModel("bench", provider=OpenAIProvider(openai_client=client))


@dataclass(frozen=True)
class Result:
    database: str
    source: str
    streams: int
    per_second: float
    """Chunks a second of each stream; 0 for as fast as it goes."""
    lean: float
    usual: float
    ours: float
    """Microseconds of CPU a chunk."""


async def measure(
    url: str, conditions: Sequence[Condition], chunks: int, rounds: int, address: str
) -> list[Result]:
    results = []
    async with Database(url) as db:
        await db.create_tables()
        for source, streams, pause in conditions:
            readers = _readers(db, source, pause, address)
            taken: dict[str, list[Cost]] = {name: [] for name in readers}
            length = chunks if pause else chunks * 10
            for number in range(rounds):
                for name in rotated(list(readers), number):
                    long = await _cost_of(readers[name], streams, length)
                    short = await _cost_of(readers[name], streams, SHORT)
                    taken[name].append((long - short) / (streams * (length - SHORT)))
            each = [middle(costs).cpu * 1e6 for costs in taken.values()]
            per_second = 1 / pause if pause else 0.0
            results.append(Result(backend_of(url), source, streams, per_second, *each))
    return results


Reader = Callable[[int], Awaitable[Callable[[], Awaitable[object]]]]


def _readers(db: Database[Any], source: str, pause: float, address: str) -> dict[str, Reader]:
    def model(chunks: int) -> Model:
        return paced(chunks, pause) if source == "script" else over_http(address)

    async def lean(chunks: int) -> Any:
        agent = Agent(Drained(model(chunks)))
        return lambda: agent.run(_prompt(chunks, pause))

    async def usual(chunks: int) -> Any:
        agent = Agent(model(chunks))

        async def read() -> None:
            async with agent.run_stream(_prompt(chunks, pause)) as result:
                async for _ in result.stream_text(delta=True, debounce_by=None):
                    pass

        return read

    async def ours(chunks: int) -> Any:
        chat = await create_chat(db, model(chunks), limits=Limits(idle_timeout=60))

        async def read() -> None:
            async for _ in chat.stream(_prompt(chunks, pause)):
                pass

        return read

    return {"lean": lean, "usual": usual, "ours": ours}


def _prompt(chunks: int, pause: float) -> str:
    return f"{chunks} chunks, {pause} s apart, please"


async def _cost_of(reader: Reader, streams: int, chunks: int) -> Cost:
    reads = [await reader(chunks) for _ in range(streams)]
    return await cost(lambda: asyncio.gather(*(read() for read in reads)))


def table(results: list[Result]) -> None:
    show(
        "A chunk: microseconds of CPU",
        [
            *("database", "source", "streams", "chunks/s each"),
            *("pydantic-ai lean", "usual", "chatrecord", "to lean", "to usual"),
        ],
        [
            [
                result.database,
                result.source,
                result.streams,
                round(result.per_second) or "all at once",
                *(round(each) for each in (result.lean, result.usual, result.ours)),
                result.ours / result.lean,
                result.ours / result.usual,
            ]
            for result in results
        ],
    )


TINY = {"conditions": (("script", 2, 0.0), ("HTTP", 2, 0.01)), "chunks": 12, "rounds": 1}


async def run(
    on: Sequence[str],
    conditions: Sequence[Condition] = CONDITIONS,
    chunks: int = 60,
    rounds: int = 3,
) -> list[Result]:
    results = []
    with running() as address:
        for server in on:
            async with empty_database(server) as url:
                results += await measure(url, conditions, chunks, rounds, address)
    return results


if __name__ == "__main__":
    table(asyncio.run(run(servers())))
