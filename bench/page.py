"""Draws the tables of docs/performance.md from docs/performance.json.

python bench/page.py
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parents[1] / "docs"
SERVERS = ("PostgreSQL", "SQLite")

Found = Mapping[str, Any]


def page_of(text: str, found: Found) -> str:
    """The page with each of its tables drawn anew."""
    for name, table in TABLES.items():
        if name in found:
            block = f"<!-- {name} -->\n\n{table(found)}\n<!-- end of {name} -->"
            pattern = rf"<!-- {name} -->.*?<!-- end of {name} -->"
            text = re.sub(pattern, lambda _, block=block: block, text, flags=re.DOTALL)
    return text


def targets(found: Found) -> str:
    """Each figure with its aim: as it was at the other commit, and as it is."""
    by_name: dict[str, dict[str, Any]] = {}
    for result in found["targets"]:
        by_name.setdefault(result["name"], {})[result["database"]] = result
    rows = []
    for name, results in by_name.items():
        one, *_ = results.values()
        unit = f" ({one['unit']})" if one["unit"] else ""
        aim = _aim(list(results.values()))
        cells = (_change(results[each]) if each in results else "" for each in SERVERS)
        rows.append([f"{name}{unit}", aim, *cells, _verdict(results)])
    return _table(["", "aim", *SERVERS, ""], rows)


def instructions(found: Found) -> str:
    """Millions of instructions of each kind of turn."""
    names = ("whole", "alone", "floor")
    rows = []
    for result in found["instructions"]:
        whole, alone, floor = (result[name] for name in names)
        kept = whole - alone
        figures = (whole, alone, kept, floor, kept / floor)
        rows.append([result["database"], result["kind"], *map(_told, figures)])
    header = ["", "turn", "whole", "Pydantic AI alone", "persistence", "floor", "by the floor"]
    return _table(header, rows)


TABLES: dict[str, Callable[[Found], str]] = {"targets": targets, "instructions": instructions}


def _aim(results: Sequence[Mapping[str, Any]]) -> str:
    """One for all databases, or that of each."""
    return " / ".join(dict.fromkeys(_told(result["aim"]) for result in results))


def _change(result: Mapping[str, Any]) -> str:
    now = _told(result["now"])
    return now if result["before"] is None else f"{_told(result['before'])} → {now}"


def _verdict(results: Mapping[str, Mapping[str, Any]]) -> str:
    met = [name for name, result in results.items() if result["now"] <= result["aim"]]
    if len(met) == len(results):
        return "met"
    return f"met on {met[0]}" if met else "missed"


def _told(figure: float) -> str:
    if abs(figure) >= 100:
        return f"{figure:,.0f}"
    return f"{figure:.2g}" if abs(figure) < 1 else f"{figure:.1f}".removesuffix(".0")


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def draw() -> None:
    """Write the page again."""
    found = json.loads((DOCS / "performance.json").read_text("utf-8"))
    page = DOCS / "performance.md"
    page.write_text(page_of(page.read_text("utf-8"), found), "utf-8")


if __name__ == "__main__":
    draw()
