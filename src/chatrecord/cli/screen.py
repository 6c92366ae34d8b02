"""The terminal: answers go to standard output, everything else to standard error.

On a terminal the two are one picture. A pipe gets only the answers, as plain text.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from rich.console import Console
from rich.markup import escape
from rich.status import Status

from .live_markdown import LiveMarkdown
from .plain_text import plain

DIM = "bright_black"
_WIDE = 200
"""Columns of a pipe: nothing in it is to be cut."""


class Screen:
    """Where a command writes, and what is on the last line."""

    def __init__(self) -> None:
        _never_fail_on(sys.stdout, sys.stderr)
        self.out = Console(highlight=False, soft_wrap=True)
        if not self.out.is_terminal:
            self.out.width = _WIDE
        self.notes = Console(highlight=False, soft_wrap=True, stderr=True)
        self._spinner: Status | None = None
        self._unended: Console | None = None
        self._markdown = LiveMarkdown(self.out) if _can_be_redrawn(self.out) else None

    @property
    def is_terminal(self) -> bool:
        """Whether a person sees the answers at once."""
        return self.out.is_terminal

    def answer(self, text: str) -> None:
        """A piece of an answer: on a terminal its Markdown is rendered, a pipe gets it as it is."""
        if self._markdown is None:
            self.write(text)
        else:
            self.rest()
            self._markdown.write(plain(text))

    def write(self, text: str) -> None:
        """A piece of text, as it is."""
        self._put(self.out, text, None)

    def whisper(self, text: str) -> None:
        """A piece of what is not the answer itself, such as reasoning."""
        self._put(self.notes, text, DIM)

    def note(self, line: str = "", style: str | None = DIM) -> None:
        """A line about the chat."""
        self.end_line()
        self.notes.out(plain(line), style=style, highlight=False)

    def end_line(self) -> None:
        """Begin a new line, unless one has just begun."""
        self.rest()
        if self._markdown is not None:
            self._markdown.end()
        if self._unended is not None:
            self._put(self._unended, "\n", None)

    def wait(self, why: str) -> None:
        """Show a spinner until something is written. In a pipe: nothing."""
        self.rest()
        if self.notes.is_terminal:
            self._spinner = self.notes.status(f"[{DIM}]{why}", spinner_style=DIM)
            self._spinner.start()

    def rest(self) -> None:
        """Take the spinner away."""
        spinner, self._spinner = self._spinner, None
        if spinner is not None:
            spinner.stop()

    @contextmanager
    def busy(self, doing: str) -> Iterator[None]:
        """A line that tells what takes so long: it goes when that is done, but in a pipe stays."""
        if not self.notes.is_terminal:
            self.note(doing)
        self.wait(doing)
        try:
            yield
        finally:
            self.rest()

    def _put(self, console: Console, text: str, style: str | None) -> None:
        self.rest()
        shown = plain(text)
        if shown:
            console.out(shown, end="", style=style, highlight=False)
            self._unended = None if shown.endswith("\n") else console


def _can_be_redrawn(console: Console) -> bool:
    """Whether the cursor can go back. With FORCE_COLOR a pipe has colours, but no cursor."""
    return (
        console.is_terminal
        and console.file.isatty()
        and not console.is_dumb_terminal
        and not console.legacy_windows
    )


def as_it_is(text: str) -> str:
    """The text for a place where markup is read, without being markup."""
    return escape(plain(text))


def _never_fail_on(*streams: object) -> None:
    """Characters that this terminal does not have become question marks."""
    for stream in streams:
        with suppress(AttributeError):
            stream.reconfigure(errors="replace")  # type: ignore[attr-defined]
