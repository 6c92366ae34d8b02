"""Text deltas that arrive within a moment, handed to a provider's client as one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from functools import cache
from types import TracebackType
from typing import Any, Self

from .merged_events import Merging

_MOST_AHEAD = 65_536
"""Bytes that are read before their reader asks: beyond that the provider waits, as without this."""


class MergedDeltas:
    """A transport for the `httpx` client of a provider, whose streams come in fewer events.

        from httpx2 import AsyncHTTPTransport
        from openai import AsyncOpenAI, DefaultAsyncHttpxClient

        transport = MergedDeltas(AsyncHTTPTransport())
        client = AsyncOpenAI(http_client=DefaultAsyncHttpxClient(transport=transport))

    Most of the CPU of a streamed answer is spent by the provider's client and Pydantic AI on each
    event. Deltas of text, reasoning or arguments that arrive within `hold` seconds become one. The
    text is the same. The first delta is handed on at once, each other at most `hold` seconds late.

    It knows the streams of OpenAI's chat completions and responses, of Anthropic, and of Gemini.
    All others are handed on as they are. It wraps a transport of `httpx` or `httpx2`: of that which
    the client of the provider uses.
    """

    def __init__(self, transport: Any, *, hold: float = 0.1) -> None:
        if hold < 0:
            msg = f"hold= is seconds, such as 0.1, not {hold}"
            raise ValueError(msg)
        self._transport = transport
        self._hold = hold

    async def handle_async_request(self, request: Any) -> Any:
        """The response of the transport, whose stream is merged if it has events."""
        response = await self._transport.handle_async_request(request)
        if _has_plain_events(response):
            kind: Any = type(response.stream)
            response.stream = _kind_of(kind)(response.stream, self._hold)
        return response

    async def aclose(self) -> None:
        """Close the transport."""
        await self._transport.aclose()

    async def __aenter__(self) -> Self:
        await self._transport.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        trace: TracebackType | None = None,
    ) -> None:
        await self._transport.__aexit__(kind, error, trace)


def _has_plain_events(response: Any) -> bool:
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    is_encoded = response.headers.get("content-encoding", "identity") != "identity"
    return kind == "text/event-stream" and not is_encoded


@cache
def _kind_of(stream: type) -> type[_MergedStream]:
    """A stream that the client takes for one of its own library."""
    bases = [base for base in stream.__mro__ if base.__name__ == "AsyncByteStream"]
    return type("MergedStream", (_MergedStream, *bases), {})


class _MergedStream:
    """Reads ahead in a task of its own, and hands on what has arrived."""

    def __init__(self, stream: Any, hold: float) -> None:
        self._stream = stream
        self._hold = hold
        self._arrived: list[bytes] = []
        self._size = 0
        self._news = asyncio.Event()
        self._room = asyncio.Event()
        self._ended = asyncio.Event()
        self._error: BaseException | None = None
        self._reading: asyncio.Task[None] | None = None

    async def __aiter__(self) -> AsyncIterator[bytes]:
        loop, merging = asyncio.get_running_loop(), Merging()
        self._reading = asyncio.create_task(self._read(), name="merged deltas")
        handed_on = loop.time() - self._hold
        while not (self._ended.is_set() and not self._arrived):
            await self._news.wait()
            await self._rest(handed_on + self._hold - loop.time())
            if data := merging.merged(self._taken()):
                handed_on = loop.time()
                yield data
        if data := merging.rest():
            yield data
        if self._error is not None:
            raise self._error

    async def aclose(self) -> None:
        """Stop reading."""
        if self._reading is not None:
            self._reading.cancel()
            with suppress(asyncio.CancelledError):
                await asyncio.wait([self._reading])
        await self._stream.aclose()

    async def _rest(self, seconds: float) -> None:
        """Let more arrive, unless no more will."""
        if seconds > 0 and not self._ended.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._ended.wait()

    def _taken(self) -> bytes:
        taken, self._arrived, self._size = b"".join(self._arrived), [], 0
        self._room.set()
        if not self._ended.is_set():
            self._news.clear()
        return taken

    async def _read(self) -> None:
        try:
            async for data in self._stream:
                self._arrived.append(data)
                self._size += len(data)
                self._news.set()
                if self._size > _MOST_AHEAD:
                    self._room.clear()
                    await self._room.wait()
        except Exception as error:  # noqa: BLE001 - raised to the reader, after what came before it
            self._error = error
        finally:
            self._ended.set()
            self._news.set()
