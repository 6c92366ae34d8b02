"""The time that a page of the dashboard is about, as its address says it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from starlette.requests import Request

from chatrecord.spending.reports import Span
from chatrecord.web.bodies import invalid

_DEFAULT = timedelta(days=30)
_FIRST, _LAST = datetime(2000, 1, 1, tzinfo=UTC), datetime(3000, 1, 1, tzinfo=UTC)
LONGEST = timedelta(days=1100)
"""No query is about more: three years, so that none reads everything there ever was."""


def span_of(request: Request, without_models: tuple[str, ...] = ()) -> Span:
    """From `since` to before `until`, by default the last thirty days."""
    until = _moment(request, "until")
    since = _moment(request, "since") or (until or datetime.now(UTC)) - _DEFAULT
    end = until or datetime.now(UTC)
    if since > end or end - since > LONGEST:
        raise invalid("'since' is before 'until', by three years at most.")
    return Span(since, until, without_models)


def latest(span: Span, longest: timedelta) -> Span:
    """The last part of this time, if it is longer."""
    earliest = (span.until or datetime.now(UTC)) - longest
    return span if span.since is None else replace(span, since=max(span.since, earliest))


def _moment(request: Request, name: str) -> datetime | None:
    text = request.query_params.get(name)
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
        moment = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise invalid(f"{name!r} is a moment, such as 2026-11-30T12:00:00Z.") from error
    if not _FIRST <= moment <= _LAST:
        raise invalid(f"{name!r} is a moment of the years 2000 to 2999.")
    return moment
