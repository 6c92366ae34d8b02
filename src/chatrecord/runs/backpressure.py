"""How far a growing answer is ahead of what is stored of it."""

from __future__ import annotations

import asyncio

MAX_UNSTORED_CHARACTERS = 100_000
"""Characters of an answer that may wait to be stored before its provider is read no further.

No model says as much within the patience for a database: this bounds what comes faster.
"""


class Backpressure:
    """Counts received and stored characters, and holds up the provider if too much is unstored."""

    def __init__(self) -> None:
        self._ahead = 0
        self._entered = 0
        self._less = asyncio.Event()

    def add(self, characters: int) -> bool:
        """Add received characters. Returns whether too much is unstored.

        Then call `wait_for_room`.
        """
        self._ahead += characters
        return self._ahead > MAX_UNSTORED_CHARACTERS

    def flush_started(self) -> None:
        """The received part is about to be stored."""
        self._entered = self._ahead

    def flush_finished(self) -> None:
        """What was about to be stored is stored."""
        self._ahead -= self._entered
        self._entered = 0
        self._less.set()

    def end(self) -> None:
        """The answer has ended: no characters follow."""
        self.flush_started()
        self.flush_finished()

    async def wait_for_room(self) -> None:
        """Until enough is stored."""
        while self._ahead > MAX_UNSTORED_CHARACTERS:
            self._less.clear()
            await self._less.wait()
