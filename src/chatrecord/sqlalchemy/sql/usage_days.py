"""Days whose requests are added up: which they are, and how they are counted anew."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import cached_property
from typing import Any

from sqlalchemy import (
    BindParameter,
    Delete,
    Dialect,
    Insert,
    Update,
    bindparam,
    delete,
    func,
    null,
    select,
    type_coerce,
    update,
)
from sqlalchemy.dialects import mysql, postgresql, sqlite

from chatrecord.sqlalchemy.generics import Query, Values
from chatrecord.sqlalchemy.types import UtcDateTime, is_mysql

from .periods import period
from .tables import MappedTable, Tables, kept

UNCOUNTED: Values = {
    "place": 0,
    "counted_at": None,
    "requests": 0,
    "priced": 0,
    "reported": 0,
}
"""Row 0 of a day that is not counted."""


class UsageDayStatements(Tables):
    """Days whose requests are added up."""

    @property
    def _days(self) -> MappedTable:
        return kept(self.usage_day, "Days of usage", "usage_day")

    @cached_property
    def first_request(self) -> Query:
        """When the first request was sent."""
        requests = kept(self.request, "Requests", "request")
        return select(func.min(requests.started_at).label("first"))

    def time_of_database(self, dialect: Dialect) -> Query:
        """What its clock says, to the second."""
        now = func.utc_timestamp() if is_mysql(dialect) else func.current_timestamp()
        return select(type_coerce(now, UtcDateTime()).label("now"))

    @cached_property
    def counted_days(self) -> Query:
        """The days in this time that are counted."""
        day = self._days.day
        return (
            select(day)
            .where(
                self._days.place == 0,
                self._days.counted_at.is_not(None),
                day >= bindparam("first", type_=day.type),
                day <= bindparam("last", type_=day.type),
            )
            .order_by(day)
        )

    def reopen_day(self, dialect: Dialect) -> Insert:
        """Lock the row of a `day`, and say that it is not counted.

        Who changes requests of a past day does so first, and so does who counts them: each then
        sees what the other has done, or is waited for.
        """
        table = self._days.table
        values: dict[object, object] = {self._days.day: bindparam("day")}
        values |= {self._days.columns[name]: value for name, value in UNCOUNTED.items()}
        if is_mysql(dialect):
            return mysql.insert(table).values(values).on_duplicate_key_update(counted_at=null())
        into = sqlite.insert if dialect.name == "sqlite" else postgresql.insert
        key = [self._days.day, self._days.place]
        return (
            into(table)
            .values(values)
            .on_conflict_do_update(index_elements=key, set_={self._days.counted_at: null()})
        )

    @cached_property
    def delete_sums(self) -> Delete:
        """Delete what these days were counted to."""
        days = bindparam("days", expanding=True, type_=self._days.day.type)
        table = self._days.table
        return delete(table).where(self._days.day.in_(days), self._days.place > 0)

    @cached_property
    def mark_counted(self) -> Update:
        """Say that these days are counted."""
        days = bindparam("days", expanding=True, type_=self._days.day.type)
        return (
            update(self._days.table)
            .where(self._days.day.in_(days), self._days.place == 0)
            .values({self._days.counted_at: bindparam("new_counted_at")})
        )

    def days_of_chats(self, dialect: Dialect) -> Query:
        """The days on which requests of these chats were sent, as text."""
        requests = kept(self.request, "Requests", "request")
        day = period(requests.started_at, "day", dialect).label("day")
        days = select(day).where(requests.chat_id.in_(_ids(self))).subquery("days")
        return select(days.c.day).distinct()

    def sums_of_days(self, first: date, last: date) -> Query:
        """The sums of the counted days from the first to the last, by attribute."""
        days = self._days
        names = [name for name in days.columns if name not in ("place", "counted_at")]
        between: Sequence[Any] = (days.day >= first, days.day <= last, days.place > 0)
        return select(*(days.columns[name].label(name) for name in names)).where(*between)


def _ids(sql: Tables) -> BindParameter[Any]:
    return bindparam("chat_ids", expanding=True, type_=sql.chat.id.type)
