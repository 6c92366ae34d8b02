"""The event loop that a `Database` belongs to, and the turns of its transactions there."""

from __future__ import annotations

import asyncio

from chatrecord.errors import ConfigurationError


class OneLoop:
    """Connections and live runs belong to the event loop they were made in."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def is_known(self) -> bool:
        """Whether anything was done yet."""
        return self._loop is not None

    def stay(self) -> None:
        """Raise `ConfigurationError` in any loop but the one of the first use."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError as error:
            msg = "chatrecord needs a running event loop of asyncio or uvloop, not one of trio"
            raise ConfigurationError(msg) from error
        if self._loop is None:
            self._loop = loop
        if self._loop is not loop:
            msg = (
                "This Database was used in another event loop before: make one Database for each "
                "asyncio.run(), thread with a loop, or test with a loop of its own; or use "
                "chatrecord.sqlalchemy.sync from plain code"
            )
            raise ConfigurationError(msg)


class Turns:
    """So many transactions at a time, of one loop: a semaphore would not say what is wrong."""

    def __init__(self, loop: OneLoop, number: int) -> None:
        self._loop, self._free = loop, asyncio.Semaphore(number)

    async def __aenter__(self) -> None:
        self._loop.stay()
        await self._free.acquire()

    async def __aexit__(self, *_: object) -> None:
        self._free.release()
