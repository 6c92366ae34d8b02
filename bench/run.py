"""Runs every bench and writes what it found.

    python bench/run.py postgresql://me@localhost/postgres            # tables only
    python bench/run.py --against v0.1.0 postgresql://me@localhost/postgres
    python bench/run.py --write postgresql://me@localhost/postgres    # the page and its picture
    python bench/run.py --only targets,instructions postgresql://me@localhost/postgres

SQLite is always measured; each server that is named has to let its user create databases. With
`--against`, the first table has the figures of another commit beside those of today. On two cores
all of it takes about three quarters of an hour. scale.py is run by itself: it needs much room.
"""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import chunks
import instead
import instructions
import length
import page
import picture
import streams
import targets
import turn

BENCHES: dict[str, Any] = {
    "targets": targets,
    "instructions": instructions,
    "turn": turn,
    "length": length,
    "chunks": chunks,
    "streams": streams,
    "instead": instead,
}
DOCS = Path(__file__).parents[1] / "docs"
FIGURES = DOCS / "performance.json"


def main(words: list[str]) -> None:
    commit, only = taken(words, "--against"), taken(words, "--only")
    is_written = "--write" in words
    servers = ["sqlite:///", *(word for word in words if word != "--write")]
    found = {}
    for name in only.split(",") if only else BENCHES:
        bench = BENCHES[name]
        if bench is instructions and not instructions.is_possible():
            print("skipped: instructions need valgrind and a C compiler")
            continue
        options = {"commit": commit} if bench is targets else {}
        results = asyncio.run(bench.run(servers, **options))
        bench.table(results)
        sys.stdout.flush()
        found[name] = [asdict(result) for result in results]
        if is_written:
            write(found)


def taken(words: list[str], option: str) -> str | None:
    """The word after this option; both are taken out."""
    if option not in words:
        return None
    place = words.index(option)
    value = words[place + 1]
    del words[place : place + 2]
    return value


def write(found: dict[str, Any]) -> None:
    """What was found in place of what was found before, the page, and its picture."""
    figures = json.loads(FIGURES.read_text("utf-8")) | found
    FIGURES.write_text(json.dumps(figures, indent=1) + "\n", "utf-8")
    page.draw()
    (DOCS / "performance.svg").write_text(picture.of(figures["instead"]), "utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
