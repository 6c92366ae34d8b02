"""Work that has to be finished once it has begun."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextvars import Context
from typing import Any, TypeVar

Result = TypeVar("Result")


async def finished(work: Coroutine[Any, Any, Result], context: Context | None = None) -> Result:
    """Do this to its end. A cancellation that comes meanwhile is raised once it has succeeded.

    A transaction that is cancelled half-way leaves nobody knowing whether it was committed.
    """
    task = asyncio.create_task(work, context=context)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        task.result()
        raise
