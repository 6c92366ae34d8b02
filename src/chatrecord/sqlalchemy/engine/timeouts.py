"""How long a database may be silent: a bound on every short transaction."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from chatrecord.errors import DatabaseFailed

_GRACE = 1.0
"""Seconds in which a driver that was interrupted may close its connection."""


@asynccontextmanager
async def time_limit(patience: float) -> AsyncIterator[None]:
    """Interrupt work that takes longer than `patience` (seconds), with `DatabaseFailed`.

    The connection that was waited for is closed, not given back: what the server did last is not
    known. A driver that does not let go of it is interrupted once more.
    """
    try:
        async with asyncio.timeout(patience + _GRACE), asyncio.timeout(patience) as clock:
            yield
    except (TimeoutError, DatabaseFailed) as error:
        if not clock.expired():
            raise
        msg = (
            f"The database has been silent for {patience:g} s: see whether it can be reached, and "
            "whether its pool has a connection to spare"
        )
        raise DatabaseFailed(msg, may_pass=True) from error
