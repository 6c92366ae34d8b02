"""What the readers of a run share: its chunks so far, and its end."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from uuid import UUID

from chatrecord.records import Chunk, Reply


class Feed:
    """The chunks of one run, from its beginning, for any number of readers."""

    def __init__(self, run_id: UUID) -> None:
        self._run_id = run_id
        self.is_whole = True
        """Whether its chunks are all of the run's: those of a resumed run are what came since."""
        self._chunks: list[Chunk] = []
        self._news = asyncio.Event()
        self._finished = asyncio.Event()
        self._followed = False
        self._under_way = False
        self._error: BaseException | None = None
        self._reply: Reply[object] | None = None

    @property
    def id(self) -> UUID:
        """The run's id."""
        return self._run_id

    @property
    def finished(self) -> bool:
        """Whether the run has written its last."""
        return self._finished.is_set()

    async def under_way(self) -> None:
        """Wait until its LLM is being asked, or raise what forbade that."""
        while not (self._under_way or self.finished):
            await self._news.wait()
        if self._error is not None and not self._under_way:
            raise self._error

    async def chunk(self, place: int) -> Chunk | None:
        """The chunk at this place, once it is stored; after the last, `None` or the run's error."""
        return self._chunks[place] if await self._reaches(place) else None

    async def chunks(self, place: int) -> Sequence[Chunk]:
        """All from this place on, once there is one; after the last, none or the run's error."""
        return self._chunks[place:] if await self._reaches(place) else ()

    async def _reaches(self, place: int) -> bool:
        self._followed = True
        while place >= len(self._chunks):
            if self.finished:
                if self._error is not None:
                    raise self._error
                return False
            await self._news.wait()
        return True

    async def reply(self) -> Reply[object]:
        """The end of the run, once it is stored. Raises the error that ended it."""
        await self.ended()
        if self._error is not None:
            raise self._error
        assert self._reply is not None
        return self._reply

    async def is_answered(self) -> bool:
        """Wait for the end of the run. Returns whether it has a final answer."""
        await self.ended()
        return self._reply is not None and not self._reply.awaiting_approval

    async def ended(self) -> None:
        """Wait for the last transaction."""
        await self._finished.wait()

    def _mark_request_sent(self) -> None:
        self._under_way = True
        self._announce()

    def _deliver(self, chunks: Sequence[Chunk]) -> None:
        self._chunks.extend(chunks)
        self._announce()

    def _finish(self, error: BaseException | None, reply: Reply[object] | None = None) -> None:
        self._error, self._reply = error, reply
        self._finished.set()
        self._announce()

    def _announce(self) -> None:
        news, self._news = self._news, asyncio.Event()
        news.set()
