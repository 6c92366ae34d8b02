"""Work that has to be finished once it has begun, and work that is waited for no longer than so."""

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
    """Do this to its end. A cancellation that comes meanwhile is raised once it has succeeded.

    A transaction that is cancelled half-way leaves nobody knowing whether it was committed.
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
    """Wait for this. Once it is cancelled, for no longer than `LET_GO`.

    A tool that swallows its cancellation would hold its run for ever.
    """
    task = asyncio.create_task(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        task.cancel()
        await asyncio.wait([task], timeout=LET_GO)
        if task.done():
            return task.result()
        log.warning("Something has not let go in %g s, and is waited for no longer", LET_GO)
        raise
    finally:
        task.add_done_callback(_hear)


async def cancelled(tasks: Collection[asyncio.Task[object]]) -> None:
    """Cancel these, and wait for their ends, for no longer than `LET_GO`."""
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks, timeout=LET_GO)


def _hear(task: asyncio.Task[object]) -> None:
    """Whatever came of it, nobody waits for that any more."""
    if not task.cancelled():
        task.exception()
