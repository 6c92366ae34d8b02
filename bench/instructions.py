"""How many instructions a turn takes: unlike seconds, they do not depend on what else runs.

    python bench/instructions.py                                      # SQLite
    python bench/instructions.py postgresql://me@localhost/postgres   # and a server

Needs Valgrind with its headers, and a C compiler. Counted is what the process of the turn does, on
all its threads; a server's work is not. Takes some minutes.
"""

from __future__ import annotations

import asyncio
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from shutil import which
from tempfile import TemporaryDirectory
from typing import Any

from against import NOW, taker
from shared import backend_of, empty_database, servers, show

KINDS = ("plain", "with a tool call", "400 messages", "400 messages, again")
WHO = ("chatrecord", "pydantic-ai", "floor")
COUNTER = """
#include <valgrind/callgrind.h>
void start(void) { CALLGRIND_START_INSTRUMENTATION; CALLGRIND_ZERO_STATS; }
void stop(void) { CALLGRIND_DUMP_STATS; CALLGRIND_STOP_INSTRUMENTATION; }
"""


@dataclass(frozen=True)
class Result:
    """Millions of instructions of a turn."""

    database: str
    kind: str
    whole: float
    alone: float
    floor: float

    @property
    def persistence(self) -> float:
        return self.whole - self.alone


def counter(folder: Path) -> Path:
    """A library that tells Valgrind when to count."""
    made = folder / "counter.so"
    command = ["cc", "-shared", "-fPIC", "-x", "c", "-", "-o", str(made)]
    subprocess.run(command, input=COUNTER.encode(), check=True)
    return made


async def counted(server: str, kind: str, who: str, turns: int, source: Path = NOW) -> float:
    """Millions of instructions of one of so many turns."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        environment = {"COUNTER": str(counter(folder)), "PYTHONHASHSEED": "0"}
        under = [
            *("valgrind", "--quiet", "--tool=callgrind", "--instr-atstart=no"),
            f"--callgrind-out-file={folder}/counted",
        ]
        async with (
            empty_database(server) as url,
            taker(
                url, kind, source=source, who=who, under=under, environment=environment
            ) as process,
        ):
            await process.turns(2)
            clear(folder)
            await process.turns(turns)
        return read(folder) / turns / 1e6


def clear(folder: Path) -> None:
    """Forget what was counted so far."""
    for dump in folder.glob("counted*"):
        dump.unlink()


def read(folder: Path) -> int:
    """What was counted since then: the end of the process writes a file without a number."""
    told = "\n".join(dump.read_text() for dump in folder.glob("counted.*"))
    return max(map(int, re.findall(r"^totals: (\d+)", told, re.MULTILINE)))


async def measure(server: str, kind: str, turns: int) -> Result:
    found = [await counted(server, kind, who, turns) for who in WHO]
    return Result(backend_of(server), kind, *found)


def is_possible() -> bool:
    """Whether Valgrind and a compiler are there."""
    return all(map(which, ("valgrind", "cc")))


def table(results: Sequence[Result]) -> None:
    show(
        "A turn: millions of instructions",
        [
            *("database", "turn", "whole", "pydantic-ai alone", "persistence", "floor"),
            "persistence by the floor",
        ],
        [
            [
                result.database,
                result.kind,
                result.whole,
                result.alone,
                result.persistence,
                result.floor,
                result.persistence / result.floor,
            ]
            for result in results
        ],
    )


TINY: dict[str, Any] = {"kinds": ("plain",), "turns": 1}


async def run(on: Sequence[str], kinds: Sequence[str] = KINDS, turns: int = 10) -> list[Result]:
    return [await measure(server, kind, turns) for server in on for kind in kinds]


if __name__ == "__main__":
    table(asyncio.run(run(servers())))
