"""Timers that keep nothing of the work that they limit."""

from __future__ import annotations

import asyncio
from contextvars import Context


def restart(clock: asyncio.Timeout, seconds: float | None) -> None:
    """Let this clock run out in so many seconds; never with `None`.

    The event loop keeps a timer with its context until it was due, even if it is cancelled. The
    context of a run of Pydantic AI has all messages in it, so that the timer gets an empty one.
    """
    when = None if seconds is None else asyncio.get_running_loop().time() + seconds
    Context().run(clock.reschedule, when)
