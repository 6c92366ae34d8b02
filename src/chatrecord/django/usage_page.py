"""The figures of the usage page."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.http import HttpRequest

from chatrecord.spending.reports import Percentiles, UsageRow

from . import figures
from .chats import usage
from .database import db

GROUPS = {
    "day": "Day",
    "month": "Month",
    "model": "Model",
    "user_id": "User",
    "agent": "Agent",
    "error_type": "Error",
}
DAYS = {1: "Today", 7: "7 days", 30: "30 days", 90: "90 days", 365: "A year"}
_DEFAULT_DAYS = 30


def usage_context(request: HttpRequest) -> dict[str, Any]:
    """What the template shows: a row for each group, and one for all."""
    by = request.GET.get("by", "")
    by = by if by in GROUPS else "day"
    chosen = request.GET.get("days", "")
    days = int(chosen) if chosen in map(str, DAYS) else _DEFAULT_DAYS
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    since = today - timedelta(days=days - 1)
    times = "times" in request.GET  # which reads each request, and not the sums of past days
    rows = usage(db, by=[by], since=since, percentiles=times)
    total = usage(db, since=since, percentiles=times)
    names = _names_of_users(rows) if by == "user_id" else {}
    return {
        "by": by,
        "days": days,
        "groups": GROUPS.items(),
        "spans": DAYS.items(),
        "heading": GROUPS[by],
        "rows": [_row(row, names.get(row.by[by], figures.key(row.by[by]))) for row in rows],
        "total": _row(total[0], "All") if rows else None,
        "since": since,
        "times": times,
    }


def _names_of_users(rows: list[UsageRow]) -> dict[object, str]:
    ids = [row.by["user_id"] for row in rows if row.by["user_id"] is not None]
    users = get_user_model()._base_manager.in_bulk(ids)
    return {found: user.get_username() for found, user in users.items()}


def _row(row: UsageRow, name: str) -> dict[str, str | bool]:
    used = row.usage
    cost = figures.money(used.cost)
    return {
        "name": name,
        "requests": figures.count(used.requests),
        "failed": f"{row.error_rate:.1%}" if row.failed else figures.UNKNOWN,
        "has_failed": bool(row.failed),
        "input": figures.count(used.input_tokens),
        "output": figures.count(used.output_tokens),
        "cost": f"{cost}+" if used.cost is not None and used.unpriced_requests else cost,
        "p50": _time(row.latency_ms, "p50"),
        "p95": _time(row.latency_ms, "p95"),
        "first": _time(row.first_token_ms, "p50"),
    }


def _time(found: Percentiles | None, name: str) -> str:
    return figures.UNKNOWN if found is None else figures.seconds(getattr(found, name))
