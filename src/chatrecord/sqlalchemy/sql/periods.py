"""Periods to group by: how each database spells them, and their values."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime

from sqlalchemy import Date, Dialect, String, func, type_coerce

from chatrecord.sqlalchemy.generics import Expression
from chatrecord.sqlalchemy.types import is_mysql

PERIODS: dict[str, tuple[int, str, Callable[[str], date]]] = {
    "hour": (13, "%Y-%m-%d %H", lambda text: datetime.fromisoformat(f"{text}:00+00:00")),
    "day": (10, "%Y-%m-%d", date.fromisoformat),
    "month": (7, "%Y-%m", lambda text: date.fromisoformat(f"{text}-01")),
}
"""Each period: how much of a time as text tells it, its format, and its value."""


def period(moment: Expression, name: str, dialect: Dialect) -> Expression:
    """The period (UTC) of a moment, or of a day, as text."""
    length, form, _ = PERIODS[name]
    if is_mysql(dialect):
        return func.date_format(moment, form)
    if dialect.name != "postgresql":
        return func.substr(type_coerce(moment, String), 1, length)
    if isinstance(moment.type, Date):
        return func.left(func.to_char(moment, "YYYY-MM-DD"), length)
    return func.left(func.to_char(func.timezone("UTC", moment), "YYYY-MM-DD HH24"), length)
