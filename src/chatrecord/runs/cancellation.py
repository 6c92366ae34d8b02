"""Work that must be completed once started, and work with a limited wait after cancellation."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Coroutine
from contextvars import Context
from functools import partial
from inspect import CORO_CREATED, getcoroutinestate
from typing import TypeVar

log = logging.getLogger("chatrecord")

LET_GO = 5.0
"""Seconds that a run which is stopped waits for a tool that swallows its cancellation."""

Result = TypeVar("Result")


class Overdue(Exception):
    """Work took longer than it may, and was cancelled."""


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
                await _end_of(task)
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


async def let_go_after(work: Coroutine[None, None, Result], limit: float | None = None) -> Result:
    """Wait for this; after a cancellation, for at most `LET_GO` seconds.

    A tool that swallows its cancellation would block its run. Raises `Overdue` if the work was
    cancelled because it took longer than `limit` seconds.
    """
    task = asyncio.create_task(work)
    try:
        await _end_of(task, limit)
    except asyncio.CancelledError as error:
        return await _let_go(task, error)
    return task.result() if task.done() else await _let_go(task, Overdue())


async def _let_go(task: asyncio.Task[Result], reason: BaseException) -> Result:
    """Cancel this; raise the reason unless it still comes to another end."""
    task.cancel()
    task.add_done_callback(_hear)
    await _end_of(task, LET_GO)
    if not task.done():
        log.warning("A task did not end within %g s and is no longer waited for", LET_GO)
        raise reason
    if task.cancelled():
        raise reason
    return task.result()


async def _end_of(task: asyncio.Task[Result], limit: float | None = None) -> None:
    """Wait for the end of a task, for so many seconds. A cancellation of this leaves it alone.

    For one task, this is less than half of what `asyncio.wait` does.
    """
    loop = asyncio.get_running_loop()
    ended = loop.create_future()
    task.add_done_callback(partial(_tell, ended))
    timer = None if limit is None else loop.call_later(limit, _tell, ended)
    try:
        await ended
    finally:
        if timer is not None:
            timer.cancel()


def _tell(ended: asyncio.Future[None], _task: object = None) -> None:
    if not ended.done():
        ended.set_result(None)


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
