"""The values that people type after options."""

from __future__ import annotations

from argparse import ArgumentTypeError


def names(text: str) -> list[str]:
    """Names with commas between them."""
    return [name for name in (part.strip() for part in text.split(",")) if name]


def port(text: str) -> int:
    """The number of a port."""
    if not text.isdecimal() or int(text) >= 2**16:
        msg = f"{text} is not a port"
        raise ArgumentTypeError(msg)
    return int(text)


def number(text: str) -> int:
    """How many to list."""
    if not text.isdecimal() or int(text) < 1:
        msg = f"{text} is not a whole number of 1 or more"
        raise ArgumentTypeError(msg)
    return int(text)
