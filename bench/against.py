"""What a turn costs, and what it cost at another commit: turn by turn, in one run.

    python bench/against.py v0.1.0                                       # SQLite
    python bench/against.py v0.1.0 postgresql://me@localhost/postgres    # and a server

Each commit has a process and a database of its own. They take turns, so that whatever slows the
machine slows both.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from one_turn import KINDS
from shared import Cost, backend_of, empty_database, middle, rotated, show

HERE = Path(__file__).resolve().parent
NOW = HERE.parent / "src"


@dataclass(frozen=True)
class Result:
    database: str
    kind: str
    before: Cost
    now: Cost


class Taker:
    """A process that takes turns: those of the library in one folder, or of something else."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def read(self) -> str:
        assert self._process.stdout is not None
        line = (await self._process.stdout.readline()).decode().strip()
        if not line:
            msg = "A turn failed: see the error above"
            raise SystemExit(msg)
        return line

    async def turn(self) -> Cost:
        return (await self.turns(1))[0]

    async def turns(self, count: int) -> tuple[Cost, int]:
        """What so many turns took together, and the bytes that the process has written."""
        await self.prepare(count)
        return await self.take()

    async def prepare(self, count: int = 1) -> None:
        """Make the chats of so many turns."""
        self._write(str(count))
        await self.read()

    async def take(self) -> tuple[Cost, int]:
        """Take the turns that are prepared."""
        self._write("go")
        wall, cpu, written = (await self.read()).split()
        return Cost(float(wall), float(cpu)), int(written)

    def _write(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n".encode())


@asynccontextmanager
async def taker(
    url: str,
    kind: str,
    *,
    source: Path = NOW,
    who: str = "chatrecord",
    under: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
) -> AsyncIterator[Taker]:
    """A process that takes such turns in this database, `under` a program such as Valgrind."""
    process = await asyncio.create_subprocess_exec(
        *(*under, sys.executable, str(HERE / "one_turn.py"), url, kind, who),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, **(environment or {}), "PYTHONPATH": str(source)},
    )
    try:
        found = Taker(process)
        await found.read()
        yield found
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()


@contextmanager
def source_of(commit: str) -> Iterator[Path]:
    """The library as it was at this commit, beside its benches."""
    with TemporaryDirectory() as folder:
        archive = subprocess.run(
            ["git", "archive", commit, "src", "bench"],
            check=True,
            cwd=HERE.parent,
            stdout=subprocess.PIPE,
        )
        subprocess.run(["tar", "-x", "-C", folder], check=True, input=archive.stdout)
        yield Path(folder, "src")


@dataclass(frozen=True)
class Side:
    """Who takes turns, and with the library in which folder."""

    source: Path = NOW
    who: str = "chatrecord"


async def side_by_side(
    sides: Mapping[str, Side], server: str, kind: str, rounds: int
) -> dict[str, Cost]:
    """The median of each, turn by turn."""
    async with AsyncExitStack() as stack:
        takers = {}
        for name, side in sides.items():
            url = await stack.enter_async_context(empty_database(server))
            entering = taker(url, kind, source=side.source, who=side.who)
            takers[name] = await stack.enter_async_context(entering)
        taken: dict[str, list[Cost]] = {name: [] for name in takers}
        for each in takers.values():
            await each.turns(3)
        for number in range(rounds):
            for name in rotated(list(takers), number):
                taken[name].append(await takers[name].turn())
    return {name: middle(costs) for name, costs in taken.items()}


async def measure(before: Path, server: str, kind: str, rounds: int) -> Result:
    sides = {"before": Side(before), "now": Side()}
    costs = await side_by_side(sides, server, kind, rounds)
    return Result(backend_of(server), kind, costs["before"], costs["now"])


def table(results: Sequence[Result]) -> None:
    show(
        "A turn with the library, provider included (milliseconds, medians)",
        ["database", "turn", "", "before", "now", "ratio"],
        [
            [
                result.database,
                result.kind,
                name,
                *(getattr(cost, key) * 1000 for cost in (result.before, result.now)),
                getattr(result.now / result.before, key),
            ]
            for result in results
            for name, key in (("time", "wall"), ("CPU", "cpu"))
        ],
    )


async def run(
    commit: str, servers: Sequence[str], rounds: int = 100, kinds: Sequence[str] = tuple(KINDS)
) -> list[Result]:
    with source_of(commit) as before:
        return [await measure(before, server, kind, rounds) for server in servers for kind in kinds]


if __name__ == "__main__":
    if len(sys.argv) < 2:
        raise SystemExit(__doc__)
    table(asyncio.run(run(sys.argv[1], ["sqlite:///", *sys.argv[2:]])))
