"""The SQL of reports: requests in groups, added up and ranked in the database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Dialect,
    Select,
    case,
    false,
    func,
    select,
    union_all,
)

from chatrecord.spending.days import Cover
from chatrecord.spending.reports import Percentiles, Span, UsageRow
from chatrecord.sqlalchemy.generics import Expression, Named, Query, Row
from chatrecord.sqlalchemy.store.rows import own_columns, usage_of
from chatrecord.store.chat_store import Scope

from .exact import equals, exact
from .gaps import within_gaps
from .periods import PERIODS, period
from .spending import costs_of
from .statements import Statements
from .tables import TOKEN_COLUMNS, MappedTable, kept

_OF_REQUESTS = (
    *("provider", "model", "status", "error_type", "http_status", "chat_id", "run_id", "kind"),
)
_OF_CHATS = ("agent",)
_OF_DAYS = frozenset(("day", "month", "provider", "model", "status", "agent", "kind"))
_TIMES = ("latency_ms", "first_token_ms")
_SUMMED = (*TOKEN_COLUMNS, "cost", "price_source", "status")
_PERCENTS = (50, 95, 99)
_COUNTS = ("requests", "priced", "reported", "failed")


@dataclass(frozen=True)
class Report:
    """Requests in groups by these names, with their sums, and with percentiles on demand."""

    sql: Statements
    dialect: Dialect
    names: Sequence[str]
    span: Span
    scope: Scope
    percentiles: bool = False
    most: int | None = None
    """How many groups, those that cost most; all of them without it, in their own order."""

    def __post_init__(self) -> None:
        _check_once(self.names)

    @property
    def is_of_days(self) -> bool:
        """Whether counted days know enough for it."""
        is_plain = not (self.percentiles or self.scope)
        if self.sql.usage_day is None or not is_plain:
            return False
        of_days = _OF_DAYS if "kind" in self.sql.usage_day.columns else _OF_DAYS - {"kind"}
        return of_days.issuperset(self.names)

    def statement(self, cover: Cover | None = None) -> Query:
        """Its rows, by counted days and the requests of the gaps between them."""
        cover = cover or Cover(None, None, [(self.span.since, self.span.until)])
        read = self._of_requests(cover)
        if cover.first is None or cover.last is None:
            return self._ordered(read)
        days = self._of_days(self.sql.sums_of_days(cover.first, cover.last).subquery("days").c)
        rows = union_all(read, days).subquery("rows").c
        groups, summed = self._groups(rows), (*TOKEN_COLUMNS, "cost", *_COUNTS)
        sums = (func.sum(rows[name]).label(name) for name in summed)
        return self._ordered(select(*groups, *sums).group_by(*groups))

    def _ordered(self, groups: Select[Any]) -> Query:
        if self.most is None:
            return groups.order_by(*self._groups(groups.selected_columns))
        rows = groups.subquery("groups")
        dearest = func.coalesce(rows.c.cost, 0).desc()
        keys = (rows.c[f"by_{name}"] for name in self.names)
        return select(rows).order_by(dearest, rows.c.requests.desc(), *keys).limit(self.most)

    def row_of(self, row: Row) -> UsageRow:
        """A group as a record."""
        return UsageRow(
            by={name: _value(name, row[f"by_{name}"]) for name in self.names},
            usage=usage_of(row),
            failed=int(row["failed"] or 0),
            latency_ms=_percentiles(row, "latency_ms"),
            first_token_ms=_percentiles(row, "first_token_ms"),
        )

    @property
    def _times(self) -> Sequence[str]:
        return _TIMES if self.percentiles else ()

    def _of_requests(self, cover: Cover) -> Select[Any]:
        has_ranks = self.percentiles and self.dialect.name != "postgresql"
        times = self._times
        rows = self._requests(cover, times if has_ranks else ()).subquery("requests").c
        groups = self._groups(rows)
        percentile = _percentile_of_rank if has_ranks else _percentile
        return select(
            *groups,
            func.count().label("requests"),
            *(func.sum(rows[name]).label(name) for name in TOKEN_COLUMNS),
            *costs_of(dict(rows)),
            func.sum(case((rows.status == "failed", 1), else_=0)).label("failed"),
            *(percentile(rows, name, percent) for name in times for percent in _PERCENTS),
        ).group_by(*groups)

    def _requests(self, cover: Cover, ranked: Sequence[str]) -> Select[Any]:
        """The requests of the gaps, each with its keys, and with its rank by these times."""
        sql, names = self.sql, self.names
        requests = kept(sql.request, "Requests", "request")
        keys = [_key(sql, requests, self.dialect, name).label(f"by_{name}") for name in names]
        rows = select(
            *keys,
            *(requests.columns[name].label(name) for name in (*_SUMMED, *self._times)),
            *(column for name in ranked for column in _ranked(requests, name, keys)),
        ).where(
            *sql.within(self.scope),
            *within_gaps(requests.started_at, cover),
            *_without(requests.columns, self.span),
        )
        if self.scope or any(name not in (*PERIODS, *_OF_REQUESTS) for name in names):
            # Requests of deleted chats have no owner, and are in no scope.
            of_chat = sql.chat.id == requests.chat_id
            rows = rows.join(sql.chat.table, of_chat, isouter=not self.scope)
        return rows

    def _of_days(self, rows: Any) -> Select[Any]:
        keys = {
            name: period(rows.day, name, self.dialect) if name in PERIODS else rows[name]
            for name in self.names
        }
        return select(
            *(key.label(f"by_{name}") for name, key in keys.items()),
            rows.requests,
            *(rows[name] for name in (*TOKEN_COLUMNS, "cost", "priced", "reported")),
            case((rows.status == "failed", rows.requests), else_=0).label("failed"),
        ).where(*_without(rows, self.span))

    def _groups(self, rows: Any) -> list[Named]:
        keys = {name: rows[f"by_{name}"] for name in self.names}
        return [_grouped(key, name).label(f"by_{name}") for name, key in keys.items()]


def _check_once(names: Sequence[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            msg = f"by= names {name!r} more than once: once is enough"
            raise ValueError(msg)


def _without(columns: Any, span: Span) -> list[ColumnElement[bool]]:
    return [
        func.coalesce(equals(columns["model"], model), false()).is_(false())
        for model in span.without_models
    ]


def _key(sql: Statements, requests: MappedTable, dialect: Dialect, name: str) -> Expression:
    if name in PERIODS:
        return period(requests.started_at, name, dialect)
    if name in _OF_REQUESTS and name in requests.columns:
        return requests.columns[name]
    own = own_columns(list(sql.chat.columns))
    if name in own or name in _OF_CHATS:
        return exact(sql.chat.columns[name])
    known = ", ".join((*PERIODS, *_OF_REQUESTS, *_OF_CHATS, *own))
    msg = f"by= knows no {name!r}. There are: {known}"
    raise ValueError(msg)


def _grouped(column: Expression, name: str) -> Expression:
    return column if name in PERIODS else exact(column)


def _value(name: str, found: Any) -> object:
    return PERIODS[name][2](found) if name in PERIODS else found


def _ranked(requests: MappedTable, name: str, keys: Sequence[Named]) -> list[Named]:
    """The rank of a time within its group, and how many there are: what was not timed is last."""
    time, group = requests.columns[name], [key.element for key in keys] or None
    order = (case((time.is_(None), 1), else_=0), time)
    return [
        func.row_number().over(partition_by=group, order_by=order).label(f"{name}_rank"),
        func.count(time).over(partition_by=group).label(f"{name}_count"),
    ]


def _percentile_of_rank(rows: Any, name: str, percent: int) -> Named:
    nearest = (rows[f"{name}_count"] * percent + 99) // 100
    found = case((rows[f"{name}_rank"] == nearest, rows[name]))
    return func.max(found).label(f"{name}_p{percent}")


def _percentile(rows: Any, name: str, percent: int) -> Named:
    """One sort for all of them, where the database has a function for it."""
    found = func.percentile_disc(percent / 100).within_group(rows[name])
    return found.label(f"{name}_p{percent}")


def _percentiles(row: Row, name: str) -> Percentiles | None:
    found = [row.get(f"{name}_p{percent}") for percent in _PERCENTS]
    times = [time for time in found if time is not None]
    return Percentiles(*times) if times else None
