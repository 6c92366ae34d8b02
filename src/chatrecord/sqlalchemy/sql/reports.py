"""The SQL of reports: requests in groups, added up and ranked in the database."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Dialect,
    String,
    case,
    false,
    func,
    select,
    type_coerce,
)

from chatrecord.spending.reports import Percentiles, Span, UsageRow
from chatrecord.sqlalchemy.generics import Expression, Named, Query, Row
from chatrecord.sqlalchemy.store.rows import own_columns, usage_of
from chatrecord.sqlalchemy.types import is_mysql
from chatrecord.store.chat_store import Scope

from .exact import equals, exact
from .spending import costs_of
from .statements import Statements
from .tables import TOKEN_COLUMNS, MappedTable, kept

_OF_REQUESTS = ("provider", "model", "status", "error_type", "http_status", "chat_id", "run_id")
_OF_CHATS = ("agent",)
_TIMES = ("latency_ms", "first_token_ms")
_SUMMED = (*TOKEN_COLUMNS, "cost", "price_source", "status")
_PERCENTS = (50, 95, 99)
_PERIODS: dict[str, tuple[int, str, Callable[[str], date]]] = {
    "hour": (13, "%Y-%m-%d %H", lambda text: datetime.fromisoformat(f"{text}:00+00:00")),
    "day": (10, "%Y-%m-%d", date.fromisoformat),
    "month": (7, "%Y-%m", lambda text: date.fromisoformat(f"{text}-01")),
}
"""Each period: how much of a time as text tells it, its format, and its value."""


def report(
    sql: Statements, dialect: Dialect, names: Sequence[str], span: Span, scope: Scope
) -> Query:
    """Requests in groups, with their sums and their percentiles."""
    requests = kept(sql.request, "Requests", "request")
    _check_once(names)
    keys = [_key(sql, requests, dialect, name).label(f"by_{name}") for name in names]
    ranked = select(
        *keys,
        *(requests.columns[name].label(name) for name in _SUMMED),
        *(column for name in _TIMES for column in _ranked(requests.columns[name], name, keys)),
    ).where(*_within(sql, requests, span, scope))
    if scope or any(name not in (*_PERIODS, *_OF_REQUESTS) for name in names):
        # Requests of deleted chats have no owner, and are in no scope.
        ranked = ranked.join(sql.chat.table, sql.chat.id == requests.chat_id, isouter=not scope)
    rows = ranked.subquery("ranked")
    groups = [_grouped(rows.c[f"by_{name}"], name).label(f"by_{name}") for name in names]
    failed = case((rows.c.status == "failed", 1), else_=0)
    return (
        select(
            *groups,
            func.count().label("requests"),
            *(func.sum(rows.c[name]).label(name) for name in TOKEN_COLUMNS),
            *costs_of(dict(rows.c)),
            func.sum(failed).label("failed"),
            *(_percentile(rows.c, name, percent) for name in _TIMES for percent in _PERCENTS),
        )
        .group_by(*groups)
        .order_by(*groups)
    )


def row_of(row: Row, names: Sequence[str]) -> UsageRow:
    """A group as a record."""
    return UsageRow(
        by={name: _value(name, row[f"by_{name}"]) for name in names},
        usage=usage_of(row),
        failed=int(row["failed"] or 0),
        latency_ms=_percentiles(row, "latency_ms"),
        first_token_ms=_percentiles(row, "first_token_ms"),
    )


def _check_once(names: Sequence[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            msg = f"by= names {name!r} more than once: once is enough"
            raise ValueError(msg)


def _within(
    sql: Statements, requests: MappedTable, span: Span, scope: Scope
) -> list[ColumnElement[bool]]:
    conditions = sql.within(scope)
    if span.since is not None:
        conditions.append(requests.started_at >= span.since)
    if span.until is not None:
        conditions.append(requests.started_at < span.until)
    for model in span.without_models:
        is_it = equals(requests.columns["model"], model)
        conditions.append(func.coalesce(is_it, false()).is_(false()))
    return conditions


def _key(sql: Statements, requests: MappedTable, dialect: Dialect, name: str) -> Expression:
    if name in _PERIODS:
        return _period(requests.started_at, name, dialect)
    if name in _OF_REQUESTS:
        return requests.columns[name]
    own = own_columns(list(sql.chat.columns))
    if name in own or name in _OF_CHATS:
        return exact(sql.chat.columns[name])
    known = ", ".join((*_PERIODS, *_OF_REQUESTS, *_OF_CHATS, *own))
    msg = f"by= knows no {name!r}. There are: {known}"
    raise ValueError(msg)


def _grouped(column: Expression, name: str) -> Expression:
    return column if name in _PERIODS else exact(column)


def _period(moment: Expression, name: str, dialect: Dialect) -> Expression:
    length, form, _ = _PERIODS[name]
    if is_mysql(dialect):
        return func.date_format(moment, form)
    if dialect.name == "postgresql":
        spelled = func.to_char(func.timezone("UTC", moment), "YYYY-MM-DD HH24")
        return func.left(spelled, length)
    return func.substr(type_coerce(moment, String), 1, length)


def _value(name: str, found: Any) -> object:
    return _PERIODS[name][2](found) if name in _PERIODS else found


def _ranked(time: Expression, name: str, keys: Sequence[Named]) -> list[Named]:
    """The time, its rank within its group, and how many there are: what was not timed is last."""
    group = [key.element for key in keys] or None
    order = (case((time.is_(None), 1), else_=0), time)
    return [
        time.label(name),
        func.row_number().over(partition_by=group, order_by=order).label(f"{name}_rank"),
        func.count(time).over(partition_by=group).label(f"{name}_count"),
    ]


def _percentile(rows: Any, name: str, percent: int) -> Named:
    nearest = (rows[f"{name}_count"] * percent + 99) // 100
    found = case((rows[f"{name}_rank"] == nearest, rows[name]))
    return func.max(found).label(f"{name}_p{percent}")


def _percentiles(row: Row, name: str) -> Percentiles | None:
    times = [row[f"{name}_p{percent}"] for percent in _PERCENTS]
    return None if times[0] is None else Percentiles(*times)
