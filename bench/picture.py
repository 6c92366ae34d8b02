"""Draws docs/performance.svg from docs/performance.json.

python bench/picture.py
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from html import escape
from math import log10
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parents[1] / "docs"

TITLE = "Persisting one more turn, milliseconds of CPU"
LEFT, TOP, WIDE, HIGH = 64, 52, 420, 280
STYLE = """
  text { font-family: system-ui, 'DejaVu Sans', sans-serif; font-size: 12px; fill: #1c2430; }
  .title { font-weight: 600; font-size: 14px; }
  .quiet { fill: #566072; }
  .grid { stroke: #d5dae2; }
  .line { fill: none; stroke-width: 2.5; }
  .c0 { stroke: #2f6fd0; } .c1 { stroke: #7d879a; }
  .c2 { stroke: #2a9d6f; } .c3 { stroke: #c8643c; }
  .dot.c0 { fill: #2f6fd0; } .dot.c1 { fill: #7d879a; }
  .dot.c2 { fill: #2a9d6f; } .dot.c3 { fill: #c8643c; }
  @media (prefers-color-scheme: dark) {
    .page { fill: #1d222b; } text { fill: #e6e9ef; } .quiet { fill: #a9b2c0; }
    .grid { stroke: #3a4250; }
  }
"""


def of(results: Sequence[dict[str, Any]]) -> str:
    """The picture of what `instead.py` has found: CPU by length, both by powers of ten."""
    lengths = sorted({result["before"] for result in results})
    times = [max(result["persistence"]["cpu"] * 1000, 0.1) for result in results]
    low, high = int(log10(min(times)) // 1), int(-(-log10(max(times)) // 1))

    def x(before: int) -> float:
        span = log10(lengths[-1] / lengths[0]) or 1
        return LEFT + WIDE * log10(before / lengths[0]) / span

    def y(milliseconds: float) -> float:
        return TOP + HIGH * (1 - (log10(max(milliseconds, 0.1)) - low) / (high - low))

    lines = [
        *_grid(lengths, range(low, high + 1), x, y),
        *_lines(results, x, y),
    ]
    width, height = LEFT + WIDE + 236, TOP + HIGH + 56
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">',
            "<title>Milliseconds of CPU to persist one more turn, by length of the chat</title>",
            f"<style>{STYLE}</style>",
            f'<rect class="page" width="{width}" height="{height}" rx="6" fill="#ffffff"/>',
            f'<text class="title" x="{LEFT}" y="26">{TITLE}</text>',
            *lines,
            "</svg>\n",
        ]
    )


def _grid(lengths: Sequence[int], powers: range, x: Any, y: Any) -> Iterator[str]:
    for power in powers:
        at = y(10.0**power)
        yield f'<path class="grid" d="M{LEFT} {at:.1f}h{WIDE}"/>'
        yield f'<text class="quiet" x="{LEFT - 8}" y="{at + 4:.1f}" text-anchor="end">'
        yield f"{10**power:g}</text>"
    for before in lengths:
        yield f'<text class="quiet" x="{x(before):.1f}" y="{TOP + HIGH + 22}" '
        yield f'text-anchor="middle">{before:,}</text>'
    middle = LEFT + WIDE / 2
    yield f'<text class="quiet" x="{middle}" y="{TOP + HIGH + 42}" text-anchor="middle">'
    yield "messages before</text>"


def _lines(results: Sequence[dict[str, Any]], x: Any, y: Any) -> Iterator[str]:
    names = list(dict.fromkeys(result["name"] for result in results))
    ends: list[tuple[float, str]] = []
    for colour, name in enumerate(names):
        points = [
            (x(result["before"]), y(result["persistence"]["cpu"] * 1000))
            for result in results
            if result["name"] == name
        ]
        path = "L".join(f"{a:.1f} {b:.1f}" for a, b in points)
        yield f'<path class="line c{colour}" d="M{path}"/>'
        for a, b in points:
            yield f'<circle class="dot c{colour}" cx="{a:.1f}" cy="{b:.1f}" r="3.5"/>'
        ends.append((points[-1][1], name))
    lowest = 0.0
    for end, name in sorted(ends):
        lowest = max(end, lowest + 16)
        yield f'<text x="{LEFT + WIDE + 12}" y="{lowest + 4:.1f}">{escape(name)}</text>'


if __name__ == "__main__":
    found = json.loads((DOCS / "performance.json").read_text("utf-8"))
    (DOCS / "performance.svg").write_text(of(found["instead"]), "utf-8")
