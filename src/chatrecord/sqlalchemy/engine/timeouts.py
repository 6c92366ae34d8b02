"""How long a database may be silent: a bound on every short transaction."""

from __future__ import annotations

import asyncio
from contextvars import Context
from types import TracebackType

from chatrecord.errors import DatabaseFailed

_GRACE = 1.0
"""Seconds in which a driver that was interrupted may close its connection."""


class time_limit:  # noqa: N801 - reads as a statement
    """Interrupt work that takes longer than `patience` (seconds), with `DatabaseFailed`.

    The connection that was waited for is closed, not given back: what the server did last is not
    known. A driver that does not let go of it is interrupted once more.

    It is `asyncio.timeout` twice, with one timer: every transaction has one.
    """

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._interruptions = 0

    async def __aenter__(self) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._task, self._before = task, task.cancelling()
        # The loop keeps a cancelled timer, and its context: in a run, that has all messages in it.
        loop, context = asyncio.get_running_loop(), Context()
        self._timer = loop.call_later(self._patience, self._interrupt, context=context)

    def _interrupt(self) -> None:
        self._interruptions += 1
        self._task.cancel()
        if self._interruptions == 1:
            self._timer = self._task.get_loop().call_later(_GRACE, self._interrupt)

    async def __aexit__(
        self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None
    ) -> None:
        self._timer.cancel()
        if not self._interruptions:
            return
        others = 0
        for _number in range(self._interruptions):
            others = self._task.uncancel()
        is_ours = others <= self._before and isinstance(error, asyncio.CancelledError)
        if is_ours or isinstance(error, (TimeoutError, DatabaseFailed)):
            msg = (
                f"The database has been silent for {self._patience:g} s: see whether it can be "
                "reached, and whether its pool has a connection to spare"
            )
            raise DatabaseFailed(msg, may_pass=True) from error
