"""Figures in groups: what requests used, cost and took, and how they went."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from starlette.requests import Request

from chatrecord.feedback import FeedbackRow
from chatrecord.records import Json
from chatrecord.spending.reports import Percentiles, Span, UsageRow
from chatrecord.store.chat_store import Scope
from chatrecord.store.feedback_store import FeedbackFilter
from chatrecord.web.bodies import invalid

from .access import Access
from .plain_values import plain
from .times import latest, span_of

MOST_GROUPS = 100
"""Groups that are not periods: those that cost most."""

LONGEST_TIMED = timedelta(days=92)
"""Percentiles are those of this time at most, up to the end: each request is read and sorted."""

_PERIODS = ("hour", "day", "month")
_OF_REQUESTS = ("model", "provider", "agent", "kind", "status", "error_type", "http_status")
_NOT_RATED = ("kind", "status", "error_type", "http_status")
"""What requests have and answers have not."""


async def usage_json(
    access: Access, request: Request, scope: Scope | None, without_models: tuple[str, ...]
) -> dict[str, Json]:
    """The groups of `by`: a period, or a column with the most expensive of its values."""
    names = _names(access, request)
    span = span_of(request, () if "model" in names else without_models)
    if timed := "times" in request.query_params:
        span = latest(span, LONGEST_TIMED)
    rows: list[UsageRow] = []
    ratings: list[FeedbackRow] | None = None
    if scope is not None:
        most = None if not names or names[0] in _PERIODS else MOST_GROUPS
        rows = await _report(access, names, span, scope, timed=timed, most=most)
        if not timed:
            ratings = await _ratings(access, names, span, scope, rows)
    assert span.since is not None
    return {
        "since": span.since.isoformat(),
        "until": None if span.until is None else span.until.isoformat(),
        "most": MOST_GROUPS,
        "rows": [_row(row) for row in rows],
        "ratings": None if ratings is None else [_rated(row) for row in ratings],
        "names": await _called(access, names, [*rows, *(ratings or [])]),
    }


async def _report(
    access: Access, names: list[str], span: Span, scope: Scope, *, timed: bool, most: int | None
) -> list[UsageRow]:
    try:
        return await access.backend.store.shown.report(
            names, span, scope, percentiles=timed, most=most
        )
    except ValueError as error:  # tables of an earlier version have no kinds
        raise invalid("The requests of this database have no such column.") from error


async def _ratings(
    access: Access, names: list[str], span: Span, scope: Scope, rows: Sequence[UsageRow]
) -> list[FeedbackRow] | None:
    """What people thought of the answers of these groups; `None` where nobody can have said it."""
    if not access.backend.store.keeps_feedback or any(name in _NOT_RATED for name in names):
        return None
    wanted = FeedbackFilter(None, span.since, span.until, scope)
    is_cut = bool(names) and names[0] not in _PERIODS and len(rows) == MOST_GROUPS
    among = [row.by[names[0]] for row in rows] if is_cut else None
    return await access.backend.store.feedback_report(names, wanted, among=among)


def _names(access: Access, request: Request) -> list[str]:
    by = request.query_params.get("by", "")
    known = (*_PERIODS, *_OF_REQUESTS, *access.backend.store.chat_columns())
    if by and by not in known:
        raise invalid(f"'by' is one of {', '.join(known)}.")
    return [by] if by else []


async def _called(
    access: Access, names: Sequence[str], rows: Sequence[UsageRow | FeedbackRow]
) -> Any:
    called: dict[str, str] = {}
    for name in names:
        found = await access.named(name, [row.by[name] for row in rows])
        called |= {str(plain(value)): str(shown) for value, shown in found.items()}
    return called


def _row(row: UsageRow) -> Json:
    used = row.usage
    return {
        "by": [plain(value) for value in row.by.values()],
        "requests": used.requests,
        "failed": row.failed,
        "input": used.input_tokens,
        "output": used.output_tokens,
        "cached": used.cache_read_tokens,
        "reasoning": used.reasoning_tokens,
        "cost": None if used.cost is None else float(used.cost),
        "unpriced": used.unpriced_requests,
        "latency": _times(row.latency_ms),
        "first": _times(row.first_token_ms),
    }


def _rated(row: FeedbackRow) -> Json:
    return {
        "by": [plain(value) for value in row.by.values()],
        "count": row.count,
        "positive": row.positive,
        "negative": row.negative,
    }


def _times(found: Percentiles | None) -> Json:
    return None if found is None else {"p50": found.p50, "p95": found.p95, "p99": found.p99}
