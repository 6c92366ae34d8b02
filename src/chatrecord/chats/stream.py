"""A run as its chunks, for whoever reads it."""

from __future__ import annotations

import os
from collections.abc import (
    Awaitable,
    Callable,
    Generator,
    Sequence,
)
from types import TracebackType
from typing import Any, Generic, Self, cast
from uuid import UUID

from chatrecord.errors import ConfigurationError
from chatrecord.records import (
    Chunk,
    Output,
    Reply,
)
from chatrecord.runs.feed import Feed
from chatrecord.runs.live_run import LiveRun
from chatrecord.runs.policies import OnDisconnect


class ChatStream(Generic[Output]):
    """A run as its chunks, to be read in an `async for`, best inside an `async with`.

        async with chat.stream("...") as stream:
            async for chunk in stream:
                print(chunk.text, end="")
        stream.reply

    The run begins with the first chunk asked for. Reading is only reading: the run belongs to the
    process. What happens when the reader leaves early is the chat's `on_disconnect`. Raises
    `ConfigurationError` in a process that was forked from the one in which the run began.
    """

    def __init__(
        self,
        begin: Callable[[], Awaitable[Feed]],
        on_disconnect: OnDisconnect,
        *,
        finish: Callable[[Reply[Any]], Awaitable[Reply[Any]]] | None = None,
    ) -> None:
        self._begin = begin
        self._on_disconnect = on_disconnect
        self._finish = finish
        self._run: Feed | None = None
        self._process = 0
        self._place = 0
        self._reply: Reply[Any] | None = None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Chunk:
        run = await self._begun()
        chunk = await run.chunk(self._place)
        if chunk is None:
            reply = await run.reply()
            self._reply = reply if self._finish is None else await self._finish(reply)
            raise StopAsyncIteration
        self._place += 1
        return chunk

    async def begun(self) -> UUID:
        """Wait until the LLM is being asked; the id of the run.

        Raises what forbids it: `ChatBusy`, `SentBefore`, `BudgetExceeded` and the like. What comes
        later is raised where the stream is read.
        """
        run = await self._begun()
        await run.under_way()
        return run.id

    async def take(self) -> Sequence[Chunk]:
        """All chunks that have come since the last, at least one; none once the run has ended."""
        run = await self._begun()
        chunks = await run.chunks(self._place)
        self._place += len(chunks)
        if not chunks:
            self._reply = await run.reply()
        return chunks

    async def __aenter__(self) -> Self:
        await self._begun()
        return self

    async def __aexit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Leave. With `on_disconnect="stop"` this returns once what has arrived is stored."""
        if (run := self._run_to_stop) is not None:
            run.stop()
            await run.ended()

    def __del__(self) -> None:
        """A reader that was dropped has left, too."""
        if (run := self._run_to_stop) is not None:
            run.stop_soon()

    def __await__(self) -> Generator[Any, None, Reply[Output]]:
        """Read it to its end, for the reply alone."""
        return self._whole().__await__()

    async def _whole(self) -> Reply[Output]:
        async for _ in self:
            pass
        return self.reply

    @property
    def reply(self) -> Reply[Output]:
        """The end of the run. Raises `RuntimeError` before the stream has been read to its end."""
        if self._reply is None:
            msg = "The stream has not ended: read it to its end before asking for its reply"
            raise RuntimeError(msg)
        return cast(Reply[Output], self._reply)

    @property
    def run_id(self) -> UUID | None:
        """The run's id, once it has begun."""
        return self._run.id if self._run else None

    @property
    def _run_to_stop(self) -> LiveRun | None:
        """The run that ends when its reader leaves. A copy that came through a fork is none."""
        stops = self._on_disconnect == "stop" and self._process == os.getpid()
        return self._run if stops and isinstance(self._run, LiveRun) else None

    async def _begun(self) -> Feed:
        if self._run is None:
            self._run = await self._begin()
            self._process = os.getpid()
        if self._process != os.getpid():
            msg = "This stream belongs to the process that began it: follow() the run in this one"
            raise ConfigurationError(msg)
        return self._run
