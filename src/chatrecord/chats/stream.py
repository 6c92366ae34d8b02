"""The stream of one run, as chunks."""

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
    """The stream of one run.

    Iterate over it with `async for`, inside `async with` if you may leave early.

        async with chat.stream("...") as stream:
            async for chunk in stream:
                print(chunk.text, end="")
        stream.reply

    The run starts when the stream is entered, awaited or first read. If the reader leaves early,
    `on_disconnect` decides: `"continue"` (default) finishes the run in the background, `"stop"`
    ends it and stores the partial answer. In a forked process, raises `ConfigurationError`: call
    `follow()` there.
    """

    def __init__(
        self,
        begin: Callable[[], Awaitable[Feed]],
        on_disconnect: OnDisconnect,
        *,
        finish: Callable[[Reply[Any]], Awaitable[Reply[Any]]] | None = None,
        leave: Callable[[Feed], Awaitable[None]] | None = None,
    ) -> None:
        self._begin = begin
        self._on_disconnect = on_disconnect
        self._finish = finish
        self._leave = leave
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
        """Wait until the request is sent. Returns the run's id.

        Raises `ChatBusy`, `SentBefore` or `BudgetExceeded` if the run cannot start; later errors
        are raised by the iteration.
        """
        run = await self._begun()
        await run.under_way()
        return run.id

    async def take(self) -> Sequence[Chunk]:
        """Wait for new chunks and return all of them. An empty list means the end of the run."""
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
        """Stop reading. With `on_disconnect="stop"`, returns after the partial answer is stored."""
        if (run := self._run_to_stop) is not None:
            run.stop()
            await run.ended()
        elif self._leave is not None and self._run is not None and self._on_disconnect == "stop":
            await self._leave(self._run)

    def __del__(self) -> None:
        """A reader that is garbage-collected has left, too."""
        if (run := self._run_to_stop) is not None:
            run.stop_soon()

    def __await__(self) -> Generator[Any, None, Reply[Output]]:
        """Wait for the end of the run and return the reply."""
        return self._whole().__await__()

    async def _whole(self) -> Reply[Output]:
        async for _ in self:
            pass
        return self.reply

    @property
    def reply(self) -> Reply[Output]:
        """The reply. Raises `RuntimeError` until the stream is read to its end."""
        if self._reply is None:
            msg = "Read the stream to its end before you use reply"
            raise RuntimeError(msg)
        return cast(Reply[Output], self._reply)

    @property
    def run_id(self) -> UUID | None:
        """The run's id, after the run has started."""
        return self._run.id if self._run else None

    @property
    def _run_to_stop(self) -> LiveRun | None:
        """The run that ends when its reader leaves. A copy in a forked process ends none."""
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
