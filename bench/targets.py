"""What persistence takes beside its targets, now and at another commit, measured in turn.

    python bench/targets.py sqlite:/// postgresql://me@localhost/postgres
    python bench/targets.py --against v0.1.0 sqlite:/// postgresql://me@localhost/postgres

A turn's figures are those of persistence (the turn less the same turn of Pydantic AI alone) divided
by the floor's (the same rows by hand). Both commits, Pydantic AI and the floor take turns.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any

from against import HERE, NOW, Side, Taker, side_by_side, source_of, taker
from files import SIZE, beside
from round_trips import RoundTrips, counted
from shared import Cell, Cost, backend_of, empty_database, show
from streams import log_position


@dataclass(frozen=True)
class Result:
    """A figure, its aim, and its unit. `before` is NULL without another commit."""

    database: str
    name: str
    unit: str
    aim: float
    before: float | None
    now: float


@dataclass(frozen=True)
class Sources:
    """The folders of the library: as it is, and as it was."""

    now: Path
    before: Path | None

    @property
    def by_side(self) -> dict[str, Path]:
        return {"now": self.now} | ({} if self.before is None else {"before": self.before})


@dataclass(frozen=True)
class Size:
    """How much is measured: rounds of turns, live streams, their pieces, and files."""

    rounds: int = 60
    many: int = 200
    most: int = 500
    pieces: int = 80
    files: int = 10


@dataclass(frozen=True)
class Turns:
    """What turns of one kind took."""

    costs: dict[str, Cost]

    def persistence(self, side: str) -> Cost:
        return self.costs[side] - self.costs["alone"]

    def by_floor(self, side: str) -> Cost:
        return self.persistence(side) / self.costs["floor"]


async def turns_of(sources: Sources, server: str, kind: str, rounds: int) -> Turns:
    sides = {side: Side(source) for side, source in sources.by_side.items()}
    sides |= {"alone": Side(who="pydantic-ai"), "floor": Side(who="floor")}
    return Turns(await side_by_side(sides, server, kind, rounds))


class Table:
    """The figures so far."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self.results: list[Result] = []

    async def add(self, server: str, name: str, unit: str, aim: float, figure: Any) -> None:
        """Add the figure of each side, which this function returns."""
        found: dict[str, float] = {}
        for side in self._sources.by_side:
            told = figure(side)
            found[side] = told if isinstance(told, float) else await told
        database = backend_of(server)
        self.results.append(Result(database, name, unit, aim, found.get("before"), found["now"]))


async def measure(sources: Sources, server: str, size: Size) -> list[Result]:
    table = Table(sources)
    is_server = backend_of(server) == "PostgreSQL"
    await turns(sources, server, size.rounds, table)
    await written(sources, server, max(size.rounds // 4, 1), table)
    if is_server:
        await streams(sources, server, size, table)
        await beside_openai_agents(sources, server, size.rounds, table)
    await files(sources, server, size.files, table)
    return table.results


async def turns(sources: Sources, server: str, rounds: int, table: Table) -> None:
    kinds = ("plain", "with a tool call", "400 messages", "400 messages, again")
    plain, tool, full, again = [await turns_of(sources, server, kind, rounds) for kind in kinds]
    by = "by the floor"
    await table.add(server, "plain turn, CPU", by, 2.2, lambda s: plain.by_floor(s).cpu)
    await table.add(server, "plain turn, time", by, 1.6, lambda s: plain.by_floor(s).wall)
    await table.add(server, "turn with a tool, CPU", by, 2.2, lambda s: tool.by_floor(s).cpu)
    name = "plain turn, window of 400 full, CPU"
    await table.add(server, name, by, 2.5, lambda s: again.by_floor(s).cpu)
    name += ", read for the first time"
    await table.add(server, name, by, 2.5, lambda s: full.by_floor(s).cpu)

    def history(of: Turns, side: str) -> float:
        return (of.persistence(side) - plain.persistence(side)).cpu * 1000

    base = history(full, "before" if sources.before else "now")
    name = "history of 400 messages, CPU"
    await table.add(server, name, "ms", 0.05 * base, lambda s: history(again, s))
    name += ", read for the first time"
    await table.add(server, name, "ms", 0.22 * base, lambda s: history(full, s))


async def written(sources: Sources, server: str, rounds: int, table: Table) -> None:
    async def kilobytes(side: str) -> float:
        async with (
            empty_database(server) as url,
            taker(url, "with a tool call", source=sources.by_side[side]) as process,
        ):
            await process.turns(3)
            taken = [await _bytes_of_turn(process, url) for _ in range(rounds)]
        return median(taken) / 1000

    async def trips(side: str, kind: str) -> float:
        async with (
            empty_database(server) as url,
            counted(url) as (through, found),
            taker(through, kind, source=sources.by_side[side]) as process,
        ):
            await process.turns(3)
            taken = [await _trips_of_turn(process, found) for _ in range(rounds)]
        return float(median(taken))

    if backend_of(server) == "SQLite":
        await table.add(server, "written by a turn with a tool", "kB", 70, kilobytes)
        return
    for kind, aim in (("plain", 3), ("with a tool call", 8)):
        name = f"round trips of a turn, {kind}"
        await table.add(server, name, "", aim, lambda side, kind=kind: trips(side, kind))
    await table.add(server, "log of a turn with a tool", "kB", 5, kilobytes)


async def _bytes_of_turn(process: Taker, url: str) -> int:
    """What the server has written to its log for a turn; of SQLite, what the process has."""
    await process.prepare()
    before = await log_position(url)
    _, by_process = await process.take()
    if backend_of(url) == "SQLite":
        return by_process
    return await log_position(url) - before


async def _trips_of_turn(process: Taker, found: RoundTrips) -> int:
    await process.prepare()
    before = found.count
    await process.take()
    return found.count - before


async def streams(sources: Sources, server: str, size: Size, table: Table) -> None:
    """Each commit with its own `shared.py`: what that sets in the journal differs."""

    def of(side: str, number: int) -> dict[str, Any]:
        source = sources.by_side[side]
        options = {"ticks": [0.05], "streams": [number], "pieces": size.pieces}
        told = subprocess.run(
            [sys.executable, "-P", str(HERE / "one_bench.py"), "streams",
             json.dumps([server]), json.dumps(options)],
            check=True, stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": f"{source}:{source.parent / 'bench'}"},
        ).stdout  # fmt: skip
        found: dict[str, Any] = json.loads(told)[0]
        return found

    by_text = "bytes a byte of text"
    name = f"log of the journal, {size.many} streams, 50 ms"
    await table.add(server, name, by_text, 4, lambda side: float(of(side, size.many)["written"]))
    name = f"wait for a piece, p99, {size.most} streams"
    await table.add(server, name, "ms", 300, lambda side: float(of(side, size.most)["p99"]))
    name = "CPU of a tick with one stream, its provider included"
    await table.add(server, name, "ms", 0.7, lambda side: of(side, 1)["cpu"] * 50.0)


async def beside_openai_agents(sources: Sources, server: str, rounds: int, table: Table) -> None:
    if find_spec("agents") is None:
        print("skipped: OpenAI Agents is not installed: pip install --group bench")
        return
    sides = {side: Side(source) for side, source in sources.by_side.items()}
    sides |= {
        name: Side(who=who)
        for name, who in (
            ("alone", "pydantic-ai"),
            ("theirs", "openai-agents"),
            ("theirs alone", "openai-agents alone"),
        )
    }
    costs = await side_by_side(sides, server, "with a tool call", rounds)
    theirs = (costs["theirs"] - costs["theirs alone"]).cpu
    name = "turn with a tool, CPU, by OpenAI Agents' SQLAlchemySession"
    figure = lambda side: (costs[side] - costs["alone"]).cpu / theirs  # noqa: E731
    await table.add(server, name, "by theirs", 1.0, figure)


async def files(sources: Sources, server: str, number: int, table: Table) -> None:
    found = {}
    for side, source in sources.by_side.items():
        async with empty_database(server) as url:
            found[side] = await beside(url, number, source)

    def by_hand(side: str) -> float:
        return found[side]["chatrecord"].cpu / found[side]["by hand"].cpu

    name = f"turn with {number * SIZE / 1e6:.0f} MB of files in the window"
    memory = lambda side: found[side]["chatrecord"].memory  # noqa: E731
    await table.add(server, f"{name}, memory", "by the files", 1.5, memory)
    await table.add(server, f"{name}, CPU", "s", 0.15, lambda side: found[side]["chatrecord"].cpu)
    await table.add(server, f"{name}, CPU beside the same work by hand", "times", 1.2, by_hand)


def table(results: Sequence[Result]) -> None:
    show(
        "Persistence beside its targets",
        ["database", "figure", "unit", "aim", "before", "now", "met"],
        [rows_of(result) for result in results],
    )


def rows_of(result: Result) -> list[Cell]:
    before: Cell = "" if result.before is None else result.before
    is_met = "yes" if result.now <= result.aim else "no"
    return [result.database, result.name, result.unit, result.aim, before, result.now, is_met]


TINY: dict[str, Any] = {"size": Size(rounds=1, many=2, most=3, pieces=5, files=1)}


async def run(
    on: Sequence[str], commit: str | None = None, size: Size | None = None
) -> list[Result]:
    with source_of(commit) if commit else nullcontext() as before:
        sources, size = Sources(NOW, before), size or Size()
        return [result for server in on for result in await measure(sources, server, size)]


if __name__ == "__main__":
    words = sys.argv[1:]
    other = words[1] if words[:1] == ["--against"] else None
    servers = words[2:] if other else words
    if not servers:
        raise SystemExit(__doc__)
    table(asyncio.run(run(servers, commit=other)))
