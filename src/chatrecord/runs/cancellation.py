"""Work that must be completed once started, and work with a limited wait after cancellation."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Coroutine
from contextvars import Context
from inspect import CORO_CREATED, getcoroutinestate
from typing import TypeVar

log = logging.getLogger("chatrecord")

LET_GO = 5.0
"""Seconds that a run which is stopped waits for a tool that swallows its cancellation."""

Result = TypeVar("Result")


async def run_to_completion(
    work: Coroutine[None, None, Result], context: Context | None = None
) -> Result:
    """Run this to its end. A cancellation during it is raised after it has succeeded.

    After a cancelled transaction, it is unknown whether it was committed.
    """
    cut_off: asyncio.CancelledError | None = None
    while True:
        task = asyncio.create_task(_done(work), context=context)
        while not task.done():
            try:
                await asyncio.wait([task])
            except asyncio.CancelledError as error:
                cut_off = error
        if getcoroutinestate(work) != CORO_CREATED:
            break
        # The end of an event loop cancels every task: this one before its first step.
    result = task.result()
    if cut_off is not None:
        raise cut_off
    return result


async def _done(work: Coroutine[None, None, Result]) -> Result:
    return await work


async def let_go_after(work: Coroutine[None, None, Result]) -> Result:
    """Wait for this; after a cancellation, for at most `LET_GO` seconds.

    A tool that swallows its cancellation would block its run.
    """
    task = asyncio.create_task(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        task.cancel()
        await asyncio.wait([task], timeout=LET_GO)
        if task.done():
            return task.result()
        log.warning("A task did not end within %g s and is no longer waited for", LET_GO)
        raise
    finally:
        task.add_done_callback(_hear)


async def cancelled(tasks: Collection[asyncio.Task[object]]) -> None:
    """Cancel these, and wait for their ends for at most `LET_GO` seconds."""
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks, timeout=LET_GO)


def _hear(task: asyncio.Task[object]) -> None:
    """Retrieve the exception, so that asyncio does not report it: nothing waits for the task."""
    if not task.cancelled():
        task.exception()
