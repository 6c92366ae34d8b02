"""Days whose requests are added up: counted after they have ended, and again after changes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from chatrecord.records import ApiRequest, Usage
from chatrecord.spending.days import (
    DAY,
    Cover,
    cover,
    day_of,
    last_closed,
    late_days,
    start_of,
)
from chatrecord.spending.reports import Span
from chatrecord.sqlalchemy.engine.connections import Connections
from chatrecord.sqlalchemy.generics import Row, Values
from chatrecord.sqlalchemy.sql.reports import Report
from chatrecord.sqlalchemy.sql.statements import Statements
from chatrecord.sqlalchemy.sql.tables import TOKEN_COLUMNS

from .rows import usage_of

_KEYS = ("provider", "model", "agent", "status")
_SUMS = ("requests", *TOKEN_COLUMNS, "cost", "priced", "reported")
_FIRST, _LAST = date(1970, 1, 1), date(9999, 12, 30)
_BATCH = 7
"""Days that are counted in one transaction: with SQLite, nobody else writes meanwhile."""
_FURTHEST = DAY * 3660
"""Days before that are not counted: a date so old is a mistake of somebody's."""


class StoredUsageDays(Connections):
    """What `chatrecord.store` says of days of usage."""

    def leave_days_alone(self) -> None:
        """Add no days up and read no sums: what is seen here may be the requests of some only.

        Days that somebody else has added up are still opened again when their requests change.
        """
        self._sql.are_days_counted = False

    async def count_days(self, now: datetime) -> int:
        if not self._sql.are_days_counted:
            return 0
        first = (await self._read(self._sql.first_request))[0]["first"]
        if first is None:
            return 0
        # Of a clock that is ahead, the requests of today would be added up before they are sent.
        clock = await self._read(self._sql.time_of_database(self._engine.dialect))
        last = last_closed(min(now, clock[0]["now"]))
        begin = max(day_of(first), last - _FURTHEST)
        rows = await self._read(self._sql.counted_days, first=begin, last=last)
        done = {row["day"] for row in rows}
        days = [begin + DAY * n for n in range((last - begin).days + 1)]
        left = [day for day in days if day not in done]
        some = (left[start : start + _BATCH] for start in range(0, len(left), _BATCH))
        return sum([await self._counted(each, now) for each in some])

    async def _counted(self, days: Sequence[date], now: datetime) -> int:
        return await self._retried(lambda: self._count(days, now))

    async def _count(self, days: Sequence[date], now: datetime) -> int:
        """Count these days, but for those with a request that is under way."""
        sql, gaps = self._sql, [(start_of(day), start_of(day + DAY)) for day in days]
        keys = _keys_of(sql)
        of_days = Report(sql, self._engine.dialect, ("day", *keys), Span(), {})
        async with self.long_transaction() as connection:
            await reopen_days(sql, connection, days)
            found = await connection.execute(of_days.statement(Cover(None, None, gaps)))
            groups = found.mappings().all()
            open_days = {row["by_day"] for row in groups if row["by_status"] == "running"}
            counted = [day for day in days if day.isoformat() not in open_days]
            rows = [row for row in groups if row["by_day"] not in open_days]
            if rows and sql.usage_day is not None:
                sums = [_sums(row, keys, place, now) for place, row in enumerate(rows, start=1)]
                await connection.execute(sql.usage_day.insert(*sums[0]), sums)
            if counted:
                done = {"days": counted, "new_counted_at": now}
                await connection.execute(sql.mark_counted, done)
        return len(counted)


def _keys_of(sql: Statements) -> tuple[str, ...]:
    """What the sums are told apart by: tables of an earlier version have no kinds."""
    tables = [table for table in (sql.request, sql.usage_day) if table is not None]
    has_kinds = all("kind" in table.columns for table in tables)
    return (*_KEYS, "kind") if has_kinds else _KEYS


def _sums(row: Row, keys: Sequence[str], place: int, now: datetime) -> Values:
    return {
        "day": date.fromisoformat(row["by_day"]),
        "place": place,
        "counted_at": now,
        **{name: row[f"by_{name}"] for name in keys},
        **{name: row[name] for name in _SUMS},
    }


async def covered(
    sql: Statements,
    connection: AsyncConnection,
    since: datetime | None,
    until: datetime | None = None,
) -> Cover:
    """The counted days of this time, and the gaps between them."""
    if not sql.are_days_counted:
        return Cover(None, None, [(since, until)])
    bounds = {
        "first": day_of(since) if since else _FIRST,
        "last": day_of(until) if until else _LAST,
    }
    counted = (await connection.execute(sql.counted_days, bounds)).scalars().all()
    return cover(counted, since, until)


async def used_by_all(
    sql: Statements, connection: AsyncConnection, since: datetime | None
) -> Usage:
    """What the requests of all chats that have ended have used since then."""
    whole = Cover(None, None, [(since, None)])
    if not sql.are_days_counted or (since and day_of(since) > last_closed(datetime.now(UTC))):
        return usage_of((await connection.execute(sql.spent_by_all(whole))).mappings().one())
    days = await covered(sql, connection, since)
    row = (await connection.execute(sql.spent_by_all(days))).mappings().one()
    if row["counted"] != days.count:  # a day was counted or changed in between
        row = (await connection.execute(sql.spent_by_all(whole))).mappings().one()
    return usage_of(row)


async def reopen_days(sql: Statements, connection: AsyncConnection, days: Sequence[date]) -> None:
    """Say that these days, in their order, are not counted: their requests change now."""
    if days and sql.usage_day is not None:
        opened: list[Values] = [{"day": day} for day in days]
        await connection.execute(sql.reopen_day(connection.dialect), opened)
        await connection.execute(sql.delete_sums, {"days": list(days)})


async def reopen_late(
    sql: Statements, connection: AsyncConnection, records: Iterable[object]
) -> None:
    """The same for the days of these requests, where they are written so late."""
    if sql.usage_day is not None and (days := _late(records)):
        await reopen_days(sql, connection, days)


def are_late(records: Iterable[object]) -> bool:
    """Whether there is a request among these whose day may be counted."""
    return bool(_late(records))


def _late(records: Iterable[object]) -> list[date]:
    sent = [record.started_at for record in records if isinstance(record, ApiRequest)]
    return list(late_days(sent, datetime.now(UTC)))


async def reopen_days_of(
    sql: Statements, connection: AsyncConnection, chat_ids: Sequence[UUID]
) -> None:
    """The same for the days of the requests of these chats, which are about to be deleted."""
    if sql.usage_day is not None and sql.request is not None:
        ids = {"chat_ids": list(chat_ids)}
        found = (await connection.execute(sql.days_of_chats(connection.dialect), ids)).scalars()
        sent = [start_of(date.fromisoformat(day)) for day in found]
        await reopen_days(sql, connection, late_days(sent, datetime.now(UTC)))
