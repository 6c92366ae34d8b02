"""Reports of usage, latency and errors, grouped as requested."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from chatrecord.records import Usage
from chatrecord.text.arguments import check_moment

Period = Literal["hour", "day", "month"]
"""A period to group by, in UTC."""


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Milliseconds that 50 %, 95 % and 99 % of the requests took at most (nearest rank)."""

    p50: float
    p95: float
    p99: float


@dataclass(frozen=True, slots=True)
class UsageRow:
    """One group of a report. All attempts at providers count, failed ones too.

    `by` has the values of the group, in the requested order: a `date` for a day or a month (its
    first day), a `datetime` for an hour, and otherwise the value of the column. Percentiles are
    `None` if no request of the group was timed.
    """

    by: Mapping[str, object]
    usage: Usage
    failed: int
    latency_ms: Percentiles | None
    first_token_ms: Percentiles | None

    @property
    def error_rate(self) -> float:
        """The share of requests that failed, from 0 to 1."""
        return self.failed / self.usage.requests if self.usage.requests else 0.0


@dataclass(frozen=True, slots=True)
class Span:
    """The requests that started from `since` to before `until`, except those to some models.

    `None` is no bound.
    """

    since: datetime | None = None
    until: datetime | None = None
    without_models: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_moment("since", self.since)
        check_moment("until", self.until)
