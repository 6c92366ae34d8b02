"""Times as people type them behind an option of a command."""

from __future__ import annotations

from argparse import ArgumentTypeError
from datetime import UTC, date, datetime, time, timedelta

_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


def long_ago(text: str) -> datetime:
    """A time that is so long ago, such as 90d, or the beginning of a day."""
    count, unit = text[:-1], text[-1:]
    if unit not in _UNITS or not count.isdecimal():
        try:
            return day(text)
        except ArgumentTypeError as error:
            msg = f"{text} is no time such as 90d, 12w or 36h, and no day such as 2026-08-31"
            raise ArgumentTypeError(msg) from error
    try:
        return datetime.now(UTC) - int(count) * _UNITS[unit]
    except OverflowError as error:
        msg = f"{text} is longer ago than there are days to count"
        raise ArgumentTypeError(msg) from error


def day(text: str) -> datetime:
    """The beginning of a day, in UTC."""
    try:
        return datetime.combine(date.fromisoformat(text), time(), UTC)
    except ValueError as error:
        msg = f"{text} is not a day, such as {date.today().isoformat()}"  # noqa: DTZ011
        raise ArgumentTypeError(msg) from error
