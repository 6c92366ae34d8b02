"""Runs every bench and writes what it found.

    python bench/run.py postgresql://me@localhost/postgres           # tables only
    python bench/run.py --write postgresql://me@localhost/postgres   # the figures of the docs, too

SQLite is always measured; each server that is named has to let its user create databases. On two
cores all of it takes about a quarter of an hour.
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
import length
import picture
import streams
import turn

BENCHES: dict[str, Any] = {
    "turn": turn,
    "length": length,
    "chunks": chunks,
    "streams": streams,
    "instead": instead,
}
DOCS = Path(__file__).parents[1] / "docs"


def main() -> None:
    servers = ["sqlite:///", *(word for word in sys.argv[1:] if word != "--write")]
    found = {}
    for name, bench in BENCHES.items():
        results = asyncio.run(bench.run(servers))
        bench.table(results)
        sys.stdout.flush()
        found[name] = [asdict(result) for result in results]
    if "--write" in sys.argv:
        (DOCS / "performance.json").write_text(json.dumps(found, indent=1) + "\n", "utf-8")
        (DOCS / "performance.svg").write_text(picture.of(found["instead"]), "utf-8")


if __name__ == "__main__":
    main()
