"""Ctrl-C during an answer stops it; the partial answer is stored first."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, TypeVar

Result = TypeVar("Result")

_SIGNALS = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
]
_PATIENCE = 3
"""So many times Ctrl-C ends the program even though something is not stored yet."""


async def until_stopped(work: Coroutine[None, None, Result]) -> Result | None:
    """The result, or `None` where a signal cancelled the work and it has cleaned up.

    Ctrl-C is answered here. Signals that end programs are, too, and then end this one.
    """
    task = asyncio.ensure_future(work)
    with _cancelled_by_signals(task) as received:
        try:
            return await task
        except asyncio.CancelledError:
            if not received:
                raise
    if received[0] != signal.SIGINT:
        raise SystemExit(128 + received[0])
    return None


@contextmanager
def _cancelled_by_signals(task: asyncio.Future[Any]) -> Iterator[list[int]]:
    loop = asyncio.get_running_loop()
    received: list[int] = []

    def handle(number: int, _frame: FrameType | None) -> None:
        received.append(number)
        if len(received) == 1:
            loop.call_soon_threadsafe(task.cancel)
        elif len(received) >= _PATIENCE:
            raise KeyboardInterrupt

    before = {
        number: signal.signal(number, handle)
        for number in _SIGNALS
        if signal.getsignal(number) is not signal.SIG_IGN
    }
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
