"""How far a replica is behind its primary."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from datetime import timedelta
from time import monotonic

from chatrecord.errors import DatabaseFailed
from chatrecord.sqlalchemy.sql.log_positions import REPLAYED, WRITTEN

log = logging.getLogger("chatrecord")

WINDOW = timedelta(seconds=5)
"""For how long what was written is read from the primary where nobody can tell."""

_MOST_MARKS = 64
_LOOKS_AGAIN = 0.02
"""Seconds."""


Ask = Callable[[object], Awaitable[int | None]]


class Replication:
    """Tells whether a replica has what its primary had at a moment, by `monotonic()`.

    On PostgreSQL by positions in its log: that of the primary is a mark, and the replica has what
    was written before it once it has replayed the log up to there. Elsewhere, or with a window, by
    time alone.
    """

    def __init__(self, of_primary: Ask, of_replica: Ask, window: timedelta | None) -> None:
        self._of_primary, self._of_replica = of_primary, of_replica
        self._window = None if window is None else window.total_seconds()
        self._marks: deque[tuple[float, int]] = deque(maxlen=_MOST_MARKS)
        self._seen = 0.0

    @property
    def is_by_time(self) -> bool:
        """Whether it goes by time alone."""
        return self._window is not None

    @property
    def seen(self) -> float:
        """Until when the replica is known to have all that was written."""
        return self._seen if self._window is None else monotonic() - self._window

    async def has(self, since: float, *, wait: float = 0.0) -> bool:
        """Whether the replica has all that was written until `since`.

        It may `wait` so many seconds for that.
        """
        if self.seen >= since:
            return True
        if since > monotonic():  # it is not even written, for all that is known
            return False
        until = monotonic() + wait
        while not await self._has_now(since):
            if monotonic() >= until or self._window is not None:
                return False
            await asyncio.sleep(_LOOKS_AGAIN)
        return True

    async def _has_now(self, since: float) -> bool:
        if self._window is not None:
            return self.seen >= since
        try:
            if not self._marks or self._marks[-1][0] < since:
                await self._mark()
            await self._look()
        except DatabaseFailed as error:
            if not error.may_pass:
                self._go_by_time(str(error))
        return self.seen >= since

    async def _mark(self) -> None:
        now = monotonic()
        position = await self._of_primary(WRITTEN)
        if position is not None:
            self._marks.append((now, position))

    async def _look(self) -> None:
        replayed = await self._of_replica(REPLAYED)
        if replayed is None:
            self._go_by_time("it replays no log")
            return
        while self._marks and self._marks[0][1] <= replayed:
            self._seen = max(self._seen, self._marks.popleft()[0])

    def _go_by_time(self, why: str) -> None:
        self._window = WINDOW.total_seconds()
        log.warning(
            "How far the read replica is behind cannot be told (%s): for %s seconds what was "
            "written is read from the primary. Set read_after_write= to how long that has to be",
            why,
            self._window,
        )
