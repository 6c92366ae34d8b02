"""Money, times and numbers, as people read them."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

UNKNOWN = "–"  # noqa: RUF001 - what a table shows for nothing
_SECOND = 1000


def count(number: int | None) -> str:
    """A number, or a dash if it was not reported."""
    return UNKNOWN if number is None else f"{number:,}"


def money(dollars: Decimal | float | None) -> str:
    """US dollars, with as many digits as show what a small sum is."""
    if dollars is None:
        return UNKNOWN
    exact = Decimal(str(dollars))
    if exact >= 1 or not exact:
        return f"${exact:,.2f}"
    return f"${exact:.{max(4, 1 - exact.adjusted())}f}"


def seconds(milliseconds: float | None) -> str:
    """A duration given in milliseconds."""
    if milliseconds is None:
        return UNKNOWN
    return f"{milliseconds:.0f} ms" if milliseconds < _SECOND else f"{milliseconds / _SECOND:.1f} s"


def key(value: object) -> str:
    """The value of a group."""
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, date):
        return value.isoformat()
    return UNKNOWN if value is None else str(value)
