"""What a transport that merges deltas reads, holds and hands on."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from chatrecord.pydantic_ai.merged_deltas import MergedDeltas
from chatrecord.pydantic_ai.merged_events import Merging

FOR_EVER = 3_600.0
EVENTS = {"content-type": "text/event-stream; charset=utf-8"}


def said(text: str | None, **more: Any) -> bytes:
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": None, **more}
    return b"data: " + json.dumps({"id": "c1", "choices": [choice]}).encode() + b"\n\n"


class Stream(httpx2.AsyncByteStream):
    """Gives what it is told to."""

    def __init__(self) -> None:
        self.given: asyncio.Queue[bytes | Exception | None] = asyncio.Queue()
        self.taken = 0
        self.is_closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while (data := await self.given.get()) is not None:
            if isinstance(data, Exception):
                raise data
            self.taken += 1
            yield data

    async def aclose(self) -> None:
        self.is_closed = True


class Inner(httpx2.AsyncBaseTransport):
    def __init__(self, stream: Stream, headers: dict[str, str]) -> None:
        self._stream, self._headers = stream, headers

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, headers=self._headers, stream=self._stream)


async def opened(stream: Stream) -> httpx2.Response:
    client = httpx2.AsyncClient(transport=MergedDeltas(Inner(stream, EVENTS), hold=FOR_EVER))
    return await client.send(client.build_request("POST", "http://provider/"), stream=True)


def texts(data: bytes) -> list[str]:
    lines = [line for line in data.splitlines() if line.startswith(b"data: {")]
    return [json.loads(line[6:])["choices"][0]["delta"]["content"] for line in lines]


async def test_the_first_is_handed_on_at_once_and_the_rest_when_no_more_comes() -> None:
    stream = Stream()
    response = await opened(stream)
    portions = response.aiter_raw()
    stream.given.put_nowait(said("One"))

    assert texts(await anext(portions)) == ["One"]

    for each in (said(" two"), said(" three"), b"data: [DONE]\n\n", None):
        stream.given.put_nowait(each)
    last = await anext(portions)
    assert texts(last) == [" two three"]
    assert last.endswith(b"data: [DONE]\n\n")
    with pytest.raises(StopAsyncIteration):
        await anext(portions)


async def test_an_error_comes_after_what_came_before_it() -> None:
    stream = Stream()
    response = await opened(stream)
    for each in (said("One"), said(" two"), httpx2.ReadError("gone")):
        stream.given.put_nowait(each)
    read = b""

    with pytest.raises(httpx2.ReadError, match="gone"):
        async for portion in response.aiter_raw():
            read += portion

    assert "".join(texts(read)) == "One two"


async def test_who_leaves_stops_the_reading_and_closes_the_stream() -> None:
    stream = Stream()
    response = await opened(stream)
    portions = response.aiter_raw()
    stream.given.put_nowait(said("One"))
    await anext(portions)

    await response.aclose()

    assert stream.is_closed
    assert [task for task in asyncio.all_tasks() if task.get_name() == "merged deltas"] == []


async def test_a_reader_that_does_not_ask_leaves_the_provider_waiting() -> None:
    stream = Stream()
    response = await opened(stream)
    portions = response.aiter_raw()
    stream.given.put_nowait(said("One"))
    await anext(portions)
    for _ in range(20):
        stream.given.put_nowait(said("x" * 10_000))

    for _ in range(200):  # times in which the reader could go on
        await asyncio.sleep(0)

    assert 7 < stream.taken < 12
    await response.aclose()


@pytest.mark.parametrize(
    "headers", [{"content-type": "application/json"}, EVENTS | {"content-encoding": "gzip"}]
)
async def test_what_are_no_plain_events_is_left_alone(headers: dict[str, str]) -> None:
    stream = Stream()
    transport = MergedDeltas(Inner(stream, headers))

    response = await transport.handle_async_request(httpx2.Request("POST", "http://provider/"))

    assert response.stream is stream


@pytest.mark.parametrize(
    "other",
    [
        said(" two", finish_reason="stop"),
        said(" two", logprobs={"content": [{"token": " two"}]}),
        said(None),
        b": a comment\n\n",
        b"event: ping\ndata: {}\n\n",
        b"data: [DONE]\n\n",
        b"data: no json}\n\n",
        b'data: {"choices": [{"index": 0, "delta": {"content": " a", "tool_calls": []}}]}\n\n',
        b'data: {"type": "response.audio.delta", "delta": "UklG"}\n\n',
    ],
)
def test_what_tells_more_than_a_text_stays_by_itself(other: bytes) -> None:
    events = said("One") + other + other + said("two")

    assert Merging().merged(events) == events


def test_half_characters_become_one() -> None:
    """Some servers cut a character that JSON writes as two."""
    halves = said("\ud83d") + said("\ude00")

    assert texts(Merging().merged(halves)) == ["\N{GRINNING FACE}"]


def test_a_negative_hold_is_refused() -> None:
    with pytest.raises(ValueError, match="hold="):
        MergedDeltas(httpx2.AsyncHTTPTransport(), hold=-1)
