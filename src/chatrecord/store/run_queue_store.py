"""The port to the queue of those that wait for a chat."""

from __future__ import annotations

from typing import Protocol

from chatrecord.records import (
    Run,
)


class RunQueueStore(Protocol):
    """The queue of those that wait for a chat.

    Each method is its own transaction, unless it says otherwise. A failure raises a
    `ChatRecordError` or the driver's own error, never silently; a database that does not answer
    has failed, too.
    """

    async def enqueue_run(self, run: Run) -> None:
        """Write down, or once more, that this run waits for its turn, as long as its lease is good.

        The runs that wait for a chat are ordered by their ids.
        """

    async def dequeue_run(self, run: Run) -> None:
        """This run waits no more."""
