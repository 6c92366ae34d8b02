"""Text for a terminal, without the packages that make it beautiful."""

from __future__ import annotations

import sys

_KEPT = {ord(mark): mark for mark in "\n\t"}
_CONTROLS = dict.fromkeys((*range(32), *range(127, 160))) | _KEPT


def plain(text: str) -> str:
    """The text without what would steer the terminal: models and tools may say anything."""
    return text.translate(_CONTROLS)


def note(text: str) -> None:
    """A word to the person at the terminal: standard output is for results."""
    print(plain(text), file=sys.stderr)
