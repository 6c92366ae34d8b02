"""How long things may take that a database decides on, and the ends of leases."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import count

LEASE = timedelta(seconds=30)
"""How long a run may be silent before another process takes it for dead."""

DATABASE_TIMEOUT = timedelta(seconds=10)
"""How long a database may fail or be silent before whatever waits for it is given up."""

MARKS = 1000
"""How many marks there are: one for each microsecond of a millisecond."""

_marks = count()


def mark_of(until: datetime) -> int:
    """What the end of a lease keeps of who wrote it, by whichever clock it is told."""
    return until.microsecond % MARKS


def marked(until: datetime, number: int | None = None) -> datetime:
    """About this end of a lease, with a mark: that of this number, or of the next in this process.

    Who loses a connection over a transaction looks for its mark in the row. That of the number 0
    says nothing.
    """
    mark = 0 if number == 0 else 1 + (next(_marks) if number is None else number) % (MARKS - 1)
    return until.replace(microsecond=until.microsecond - mark_of(until) + mark)
