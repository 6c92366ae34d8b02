"""Streams that are open when their server is told to end: each gets an ending before it is cut."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from time import monotonic
from types import FrameType
from typing import Any, TypeAlias
from uuid import UUID

from chatrecord.errors import RunInterrupted
from chatrecord.runs.process import Backend

LAST_MOMENT = 0.5
"""Seconds that a run has to store its partial answer before its stream ends without it."""

Handler: TypeAlias = Callable[[int, FrameType | None], Any]


class ServerEnds(Exception):
    """The server is about to end, and the run that is followed goes on elsewhere."""


class Signals:
    """The signals that end this process, besides what its server does with them.

    A server handles them itself, and then waits for its streams. Its own handler is called as
    before. Without a server's handler, and outside the main thread, nothing is watched.
    """

    def __init__(self) -> None:
        self.came_at: float | None = None
        self._listeners: dict[object, Callable[[], object]] = {}
        self._before: dict[int, Handler] = {}

    def watch(self) -> None:
        """Watch from now on, if this is not done already. A server sets its handlers late."""
        if threading.current_thread() is not threading.main_thread():
            return
        if callable(signal.getsignal(signal.SIGTERM)):
            for number in (signal.SIGTERM, signal.SIGINT):
                self._watch(number)

    def _watch(self, number: int) -> None:
        before = signal.getsignal(number)
        if callable(before) and before != self._handle:
            self.came_at = None
            self._before[number] = before
            signal.signal(number, self._handle)

    @contextmanager
    def told(self, listener: Callable[[], object]) -> Iterator[None]:
        """Call this function when a signal comes meanwhile, or has come already."""
        key = object()
        self._listeners[key] = listener
        try:
            if self.came_at is not None:
                listener()
            yield
        finally:
            del self._listeners[key]

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self.came_at is None:
            self.came_at = monotonic()
        for listener in list(self._listeners.values()):
            listener()
        self._before[number](number, frame)


signals = Signals()
"""Those of this process."""


class Shutdown:
    """What happens to one open stream when its server ends: its run is stopped, and then itself."""

    def __init__(self, backend: Backend, run_id: UUID, grace: float) -> None:
        self._backend = backend
        self._run_id = run_id
        self._grace = grace
        self._clock: asyncio.Timeout | None = None
        self._is_over = False

    @contextmanager
    def awaited(self) -> Iterator[None]:
        """While the stream is open."""
        loop = asyncio.get_running_loop()
        timers: list[asyncio.TimerHandle] = []

        def begin() -> None:
            if not timers:
                left = self._grace - monotonic() + (signals.came_at or 0)
                timers.append(loop.call_later(left, self._stop_run))
                timers.append(loop.call_later(left + LAST_MOMENT, self._end))

        try:
            with signals.told(partial(loop.call_soon_threadsafe, begin)):
                yield
        finally:
            for timer in timers:
                timer.cancel()

    @contextmanager
    def watching(self, clock: asyncio.Timeout) -> Iterator[None]:
        """While the stream waits no longer than this clock allows. Raises `ServerEnds`."""
        self.check()
        self._clock = clock
        try:
            yield
        finally:
            self._clock = None

    def check(self) -> None:
        """Raise `ServerEnds` once the stream has to end."""
        if self._is_over:
            raise ServerEnds

    def _stop_run(self) -> None:
        """Store what it has; a run of another process goes on there."""
        live = self._backend.runtime.journal.live(self._run_id)
        if live is not None:
            live.stop(RunInterrupted("The server was shut down"))

    def _end(self) -> None:
        self._is_over = True
        if self._clock is not None:
            self._clock.reschedule(asyncio.get_running_loop().time())
