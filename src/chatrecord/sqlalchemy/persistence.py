"""Trying again after what passes: a deadlock, a lost connection."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from chatrecord.errors import DatabaseFailed

Result = TypeVar("Result")

PAUSES = (0.02, 0.1, 0.4, 1.0)
"""Seconds before each new try."""


async def persistently(work: Callable[[], Awaitable[Result]]) -> Result:
    """Do what may be done twice, once more after each failure that may pass."""
    for pause in PAUSES:
        try:
            return await work()
        except DatabaseFailed as error:
            if not error.may_pass:
                raise
        await asyncio.sleep(pause)
    return await work()
