"""Past days whose requests are added up, and what of a span they leave to be read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TypeAlias

DAY = timedelta(days=1)

COUNTED_AFTER = timedelta(hours=6)
"""How long after its end a day is counted."""

LATE_AFTER = timedelta(hours=3)
"""How long after the end of its day a change of a request is late: the day is counted again.

Less than `COUNTED_AFTER` by more than clocks may differ and transactions may take.
"""

_MOST_GAPS = 30
"""With more of them, a statement is slower than one that reads all requests."""

Gap: TypeAlias = tuple[datetime | None, datetime | None]
"""From the first moment to before the second; `None` is no bound."""


@dataclass(frozen=True, slots=True)
class Cover:
    """Counted days from `first` to `last`, and the gaps whose requests are to be read.

    `count` is the number of these days.
    """

    first: date | None
    last: date | None
    gaps: Sequence[Gap]
    count: int = 0


def start_of(day: date) -> datetime:
    """The first moment of a day in UTC."""
    return datetime.combine(day, time(), UTC)


def day_of(moment: datetime) -> date:
    """The day of a moment in UTC."""
    return moment.astimezone(UTC).date()


def last_closed(now: datetime) -> date:
    """The last day that can be counted by now."""
    return day_of(now - COUNTED_AFTER) - DAY


def late_days(moments: Iterable[datetime], now: datetime) -> list[date]:
    """The days of these moments on which a change is late by now, in their order."""
    today = day_of(now - LATE_AFTER)
    return sorted({day for moment in moments if (day := day_of(moment)) < today})


def cover(counted: Sequence[date], since: datetime | None, until: datetime | None) -> Cover:
    """Cover this time by whole counted days, which are in their order, and by gaps."""
    whole = [
        day
        for day in counted
        if (since is None or since <= start_of(day))
        and (until is None or start_of(day) + DAY <= until)
    ]
    gaps, reached = list[Gap](), since
    for day in whole:
        if reached is None or reached < start_of(day):
            gaps.append((reached, start_of(day)))
        reached = start_of(day) + DAY
    if reached is None or until is None or reached < until:
        gaps.append((reached, until))
    if not whole or len(gaps) > _MOST_GAPS:
        return Cover(None, None, [(since, until)])
    return Cover(whole[0], whole[-1], gaps, len(whole))
