"""Trying again after what passes: a deadlock, a lost connection, a failover."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from time import monotonic
from typing import TypeVar

from chatrecord.errors import DatabaseFailed

Result = TypeVar("Result")

FIRST_PAUSE, LONGEST_PAUSE = 0.02, 1.0
"""Seconds between two tries. Each pause is twice as long as the one before."""


async def with_retries(
    work: Callable[[], Awaitable[Result]], patience: float, *, only_undone: bool = False
) -> Result:
    """Retry this after each failure that may pass, for `patience` seconds.

    What may not be done twice is tried again `only_undone`: after failures that are known to have
    left nothing behind.
    """
    began, pause = monotonic(), FIRST_PAUSE
    while True:  # not over `pauses`: to leave an asynchronous generator early costs a task
        try:
            return await work()
        except DatabaseFailed as error:
            is_over = monotonic() - began >= patience
            if is_over or not error.may_pass or (only_undone and not error.undone):
                raise
        await _sleep(pause)
        pause = min(pause * 2, LONGEST_PAUSE)


async def pauses() -> AsyncIterator[None]:
    """One try, and then one after each pause. No two of those who failed together wait alike."""
    pause = FIRST_PAUSE
    while True:
        yield
        await _sleep(pause)
        pause = min(pause * 2, LONGEST_PAUSE)


async def _sleep(pause: float) -> None:
    await asyncio.sleep(pause * random.uniform(0.5, 1))  # noqa: S311 - jitter, not a secret
