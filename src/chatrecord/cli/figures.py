"""Tokens, money, times and ages, as people read them."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

UNKNOWN = "-"
_SECOND = 1000


def count(number: int | None) -> str:
    """A number of tokens, or a dash if it was not reported."""
    return UNKNOWN if number is None else f"{number:,}"


def money(dollars: Decimal | None) -> str:
    """US dollars, with as many digits as show what a small sum is."""
    if dollars is None:
        return UNKNOWN
    if dollars >= 1 or not dollars:
        return f"${dollars:,.2f}"
    places = max(4, 1 - dollars.adjusted())
    return f"${dollars:.{places}f}"


def group(value: object) -> str:
    """A day, a model or whatever else a report is grouped by."""
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M")
    return UNKNOWN if value is None else str(value)


def seconds(milliseconds: float | None) -> str:
    """A duration given in milliseconds."""
    if milliseconds is None:
        return UNKNOWN
    return f"{milliseconds:.0f} ms" if milliseconds < _SECOND else f"{milliseconds / _SECOND:.1f} s"


def age(moment: datetime) -> str:
    """How long ago something was, in its largest unit."""
    passed = max(0, int((datetime.now(UTC) - moment).total_seconds()))
    for unit, length in (("day", 86400), ("h", 3600), ("min", 60)):
        if passed >= length:
            number = passed // length
            return f"{number} {unit}{'s' if unit == 'day' and number > 1 else ''} ago"
    return "just now"


def moment(when: datetime) -> str:
    """A point in time, on the clock of this machine."""
    return when.astimezone().strftime("%Y-%m-%d %H:%M:%S")
