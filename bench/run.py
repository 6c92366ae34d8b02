"""Runs every bench and writes what it found.

    python bench/run.py postgresql://me@localhost/postgres            # tables only
    python bench/run.py --against v0.1.0 postgresql://me@localhost/postgres
    python bench/run.py --write postgresql://me@localhost/postgres    # the page and its picture
    python bench/run.py --only targets,instructions postgresql://me@localhost/postgres
    python bench/run.py --short --write --against v0.1.0 postgresql://me@localhost/postgres

SQLite is always measured; each server that is named has to let its user create databases. With
`--against`, the first table has the figures of another commit beside those of today. On two cores
all of it takes about three quarters of an hour. With `--short`, only what the page and its picture
are drawn from is measured, in fewer rounds: that takes less than 20 minutes. scale.py is run by
itself: it needs much room.
"""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import asdict
from pathlib import Path
from time import monotonic
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
SHORT: dict[str, dict[str, Any]] = {
    "targets": {"size": targets.Size(rounds=30)},
    "instructions": {"turns": 4},
    "instead": {"rounds": 6},
}
"""What the page and its picture are drawn from, and how much of it a short run measures."""

DOCS = Path(__file__).parents[1] / "docs"
FIGURES = DOCS / "performance.json"


def main(words: list[str]) -> None:
    commit, only = taken(words, "--against"), taken(words, "--only")
    is_written, is_short = "--write" in words, "--short" in words
    servers = ["sqlite:///", *(word for word in words if not word.startswith("--"))]
    found = {}
    for name in only.split(",") if only else SHORT if is_short else BENCHES:
        bench = BENCHES[name]
        if bench is instructions and not instructions.is_possible():
            print("skipped: instructions need valgrind and a C compiler")
            continue
        options = dict(SHORT.get(name, {})) if is_short else {}
        if bench is targets:
            options["commit"] = commit
        began = monotonic()
        results = asyncio.run(bench.run(servers, **options))
        bench.table(results)
        print(f"\n{name}: {(monotonic() - began) / 60:.1f} minutes")
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
