"""The pages of the documentation, and the fenced blocks in them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

ROOT = Path(__file__).parents[2]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))

_FENCE = re.compile(
    r"(?:<!-- skip: (?P<skip>[^>]+?) -->\s*)?"
    r"^(?P<indent> *)```(?P<language>\w+)[^\n]*\n(?P<source>.*?)^(?P=indent)```$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Block:
    """A fenced block. `line` is the page's line before its first; `skip` says why it is not run."""

    page: Path
    line: int
    language: str
    source: str
    skip: str | None

    @property
    def place(self) -> str:
        return f"{name_of(self.page)}:{self.line + 1}"

    @property
    def padded(self) -> str:
        """The source on its own line numbers, so that a traceback points into the page."""
        return "\n" * self.line + self.source


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path, *languages: str) -> Iterator[Block]:
    text = page.read_text(encoding="utf-8")
    for found in _FENCE.finditer(text):
        if found["language"] in languages:
            line = text.count("\n", 0, found.start("source"))
            yield Block(page, line, found["language"], dedent(found["source"]), found["skip"])
