"""Ends work in another task without cancelling the task."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from chatrecord.errors import RunInterrupted


class Stopper:
    """What runs inside `stoppable` raises `RunInterrupted` once it is stopped."""

    def __init__(self) -> None:
        self._stopped = False
        self._scopes: set[asyncio.Timeout] = set()
        self._left = asyncio.Event()

    def stop(self) -> None:
        """Stop all of it, and what is yet to come."""
        self._stopped = True
        for scope in self._scopes:
            scope.reschedule(asyncio.get_running_loop().time())

    async def left(self) -> None:
        """Wait until none of it runs."""
        while self._scopes:
            self._left.clear()
            await self._left.wait()

    @asynccontextmanager
    async def stoppable(self) -> AsyncIterator[None]:
        """Until it is stopped."""
        if self._stopped:
            raise _stopped()
        scope = asyncio.timeout(None)
        try:
            async with scope:
                self._scopes.add(scope)
                try:
                    yield
                finally:
                    self._scopes.discard(scope)
                    self._left.set()
        except TimeoutError as error:
            if not scope.expired():
                raise
            raise _stopped() from error


def _stopped() -> RunInterrupted:
    return RunInterrupted("The run was stopped")
