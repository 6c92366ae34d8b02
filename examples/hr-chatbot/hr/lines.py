"""Work that stands in line, and a line that has an end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class LineFull(Exception):
    """As many wait already as may."""


class Line:
    """A few at a time, and a few more that wait."""

    def __init__(self, *, at_once: int, waiting: int) -> None:
        self._turns = asyncio.Semaphore(at_once)
        self._room = at_once + waiting

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for one's turn. Raises `LineFull`."""
        if not self._room:
            raise LineFull
        self._room -= 1
        try:
            async with self._turns:
                yield
        finally:
            self._room += 1
