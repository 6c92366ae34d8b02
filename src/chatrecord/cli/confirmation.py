"""A question to the person at the terminal, who says yes or does not."""

from __future__ import annotations

import sys


def can_ask() -> bool:
    """Whether a user can see the question and answer it."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def is_confirmed(question: str) -> bool:
    """Ask. Anything but yes is no."""
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")
