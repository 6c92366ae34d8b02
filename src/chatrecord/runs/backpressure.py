"""How far a growing answer is ahead of what is stored of it."""

from __future__ import annotations

import asyncio

MAX_UNSTORED_CHARACTERS = 100_000
"""Characters of an answer that may wait to be stored before its provider is read no further.

No model says as much within the patience for a database: this bounds what comes faster.
"""


class Backpressure:
    """Counts what has come and what is stored, and holds up whoever brings too much."""

    def __init__(self) -> None:
        self._ahead = 0
        self._entered = 0
        self._less = asyncio.Event()

    def grow(self, characters: int) -> bool:
        """So many more have come. Whether that is too much: then `wait`."""
        self._ahead += characters
        return self._ahead > MAX_UNSTORED_CHARACTERS

    def enter(self) -> None:
        """What has come by now is about to be stored."""
        self._entered = self._ahead

    def store(self) -> None:
        """What was about to be stored is stored."""
        self._ahead -= self._entered
        self._entered = 0
        self._less.set()

    def end(self) -> None:
        """The answer has ended: nobody brings any more."""
        self.enter()
        self.store()

    async def wait(self) -> None:
        """Until enough is stored."""
        while self._ahead > MAX_UNSTORED_CHARACTERS:
            self._less.clear()
            await self._less.wait()
