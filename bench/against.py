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
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from one_turn import KINDS
from shared import Cost, backend_of, empty_database, middle, rotated, show

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Result:
    database: str
    kind: str
    before: Cost
    now: Cost


class Taker:
    """A process that takes turns with the library in one folder."""

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
        assert self._process.stdin is not None
        self._process.stdin.write(b"\n")
        wall, cpu = map(float, (await self.read()).split())
        return Cost(wall, cpu)


@asynccontextmanager
async def taker(source: Path, server: str, kind: str) -> AsyncIterator[Taker]:
    async with empty_database(server) as url:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, str(HERE / "one_turn.py"), url, kind),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(source)},
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
    """The library as it was at this commit."""
    with TemporaryDirectory() as folder:
        archive = subprocess.run(
            ["git", "archive", commit, "src"], check=True, cwd=HERE.parent, stdout=subprocess.PIPE
        )
        subprocess.run(["tar", "-x", "-C", folder], check=True, input=archive.stdout)
        yield Path(folder, "src")


async def measure(sources: Sequence[Path], server: str, kind: str, rounds: int) -> Result:
    async with AsyncExitStack() as stack:
        takers = [
            await stack.enter_async_context(taker(source, server, kind)) for source in sources
        ]
        names = [str(place) for place in range(len(takers))]
        taken: dict[str, list[Cost]] = {name: [] for name in names}
        for _ in range(3):
            for each in takers:
                await each.turn()
        for number in range(rounds):
            for name in rotated(names, number):
                taken[name].append(await takers[int(name)].turn())
        return Result(backend_of(server), kind, *(middle(taken[name]) for name in names))


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
        sources = [before, HERE.parent / "src"]
        return [
            await measure(sources, server, kind, rounds) for server in servers for kind in kinds
        ]


if __name__ == "__main__":
    if len(sys.argv) < 2:
        raise SystemExit(__doc__)
    table(asyncio.run(run(sys.argv[1], ["sqlite:///", *sys.argv[2:]])))
