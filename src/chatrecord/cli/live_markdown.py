"""Markdown that grows at the end of a terminal, without flicker."""

from __future__ import annotations

from time import monotonic

from rich.console import Console

from .markdown import blocks, rendered

_CLEAR_REST_OF_LINE = "\x1b[K"
_CLEAR_BELOW = "\x1b[J"
_SLOW, _PAUSES = 0.05, 3
"""A long piece of code takes a tenth of a second or more: most of the time is for the answer."""


class LiveMarkdown:
    """Complete blocks stay as they are; of the last one, only lines that change are written again.

    A line is written over, never cleared first, and the cursor ends behind the last character.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._block = ""
        self._lines: list[str] = []
        self._gap = ""
        self._next = 0.0
        self._width = console.width

    def write(self, text: str) -> None:
        """Show more of the answer."""
        self._block += text
        if monotonic() >= self._next:
            self._show()

    def _show(self) -> None:
        began = monotonic()
        self._notice_the_width()
        found = blocks(self._block)
        for block in found[:-1]:
            self._draw(rendered(block, self._console))
            self._lines, self._gap = [], "\n\n"
        if found:
            self._block = found[-1]
            self._draw(rendered(self._block, self._console))
        took = monotonic() - began
        self._next = monotonic() + _PAUSES * took if took > _SLOW else 0.0

    def end(self) -> None:
        """Show what is left, and go to a new line."""
        self._show()
        if self._lines or self._gap:
            self._print("\n")
        self._block, self._lines, self._gap, self._next = "", [], "", 0.0

    def _draw(self, lines: list[str]) -> None:
        if lines == self._lines:
            return
        first = max(_common(self._lines, lines), self._first_in_reach())
        below = ""
        if len(lines) < len(self._lines):
            first, below = max(0, min(first, len(lines) - 1)), _CLEAR_BELOW
        written = "\n".join(f"{line}{_CLEAR_REST_OF_LINE}" for line in lines[first:])
        self._print(f"{self._way_to(first)}{written}{below}")
        self._lines, self._gap = lines, ""

    def _notice_the_width(self) -> None:
        """A narrower window has wrapped the lines at unknown places: print the block again."""
        if self._lines and self._console.width < self._width:
            self._lines, self._gap = [], "\n\n"
        self._width = self._console.width

    def _first_in_reach(self) -> int:
        """No cursor comes back to a line that has left the screen."""
        return max(0, len(self._lines) - self._console.height)

    def _way_to(self, line: int) -> str:
        """From the end of the last line to the beginning of this one."""
        if not self._lines:
            return self._gap
        up = len(self._lines) - 1 - line
        if up < 0:
            return "\n"
        return f"\x1b[{up}A\r" if up else "\r"

    def _print(self, text: str) -> None:
        self._console.file.write(text)
        self._console.file.flush()


def _common(old: list[str], new: list[str]) -> int:
    """How many lines at the beginning are the same."""
    pairs = enumerate(zip(old, new, strict=False))
    return next((number for number, (a, b) in pairs if a != b), min(len(old), len(new)))
