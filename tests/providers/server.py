"""A loopback HTTP server that answers as providers do, and misbehaves as they do.

    async with ProviderServer() as server:
        server.script(says("Hel", "lo"), rate_limited(retry_after=0))
        ...                         # point a real client at `server.address`
        server.received[0].said()   # what it was sent

It speaks OpenAI chat completions, OpenAI responses, Anthropic messages and Gemini on one port, over
plain sockets, so that a connection can really be cut, reset or left hanging. While `strict`, it answers
400 to any request that breaks a rule of its provider, and remembers the rule in `faults`.
"""

from __future__ import annotations

import asyncio
import json
import math
import socket
import struct
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from . import anthropic_messages, gemini_content, openai_chat, openai_responses
from .answers import Answer, Refusal, Scripted, invalid, says, server_error
from .wire import Body, Frame, Said, Wire

WIRES: tuple[Wire, ...] = (openai_chat, openai_responses, anthropic_messages, gemini_content)
JSON = {"content-type": "application/json"}
EVENTS = {"content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache"}
REASONS = {200: "OK", 400: "Bad Request", 401: "Unauthorized", 429: "Too Many Requests"}
GATEWAY_PAGE = b"<html><body><h1>502 Bad Gateway</h1><hr>nginx</body></html>"
LAST_CHUNK = b"0\r\n\r\n"
READING_TIME = 0.03
"""Seconds a client gets to read what was sent before its connection is reset."""


@dataclass
class Received:
    """A request, and how far its answer got."""

    wire: Wire
    number: int
    headers: dict[str, str]
    body: Body
    at: float
    pieces_sent: int = 0
    client_left: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the client closes the connection before the answer has ended."""

    @property
    def request_id(self) -> str | None:
        """The id in the response's headers, of a provider that names its requests there."""
        return f"req_{self.number:03}" if self.wire.request_id_header else None

    @property
    def response_id(self) -> str:
        """The stem of the id in the response's body."""
        return f"{self.number:03}loopback"

    def said(self) -> list[Said]:
        return self.wire.said(self.body)


class ProviderServer:
    """See the module."""

    def __init__(self, *, strict: bool = True) -> None:
        self.strict = strict
        self.address = ""
        self.received: list[Received] = []
        self.faults: list[str] = []
        self._script: deque[Scripted] = deque()
        self._connections: set[asyncio.Task[None]] = set()

    def script(self, *answers: Scripted) -> None:
        """Append to the answers, which are given in order whichever protocol asks."""
        self._script.extend(answers)

    @property
    def unused(self) -> int:
        """How many scripted answers nobody has asked for."""
        return len(self._script)

    async def __aenter__(self) -> Self:
        self._listener = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        host, port = self._listener.sockets[0].getsockname()
        self.address = f"http://{host}:{port}"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._listener.close()
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        await self._listener.wait_closed()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(self._serve(reader, writer))
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            try:
                received = await self._receive(reader)
                await answer_while_connected(reader, writer, received, self._next(received))
            finally:
                writer.close()
                await writer.wait_closed()

    async def _receive(self, reader: asyncio.StreamReader) -> Received:
        path, headers = parse_head(await reader.readuntil(b"\r\n\r\n"))
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        wire = next(wire for wire in WIRES if path.startswith(wire.path))
        told = json.loads(body or b"{}") | wire.told_by(path)
        now = asyncio.get_running_loop().time()
        received = Received(wire, len(self.received) + 1, headers, told, now)
        self.received.append(received)
        return received

    def _next(self, received: Received) -> Scripted:
        if received.body.get("cancels"):
            self.received.remove(received)
            return says()
        complaint = received.wire.complaint(received.body) if self.strict else None
        if complaint:
            self.faults.append(f"request {received.number}: {complaint}")
            return invalid(complaint)
        if not self._script:
            self.faults.append(f"request {received.number}: nothing was scripted for it")
            return server_error()
        return self._script.popleft()


def parse_head(head: bytes) -> tuple[str, dict[str, str]]:
    """The path with its query, and the headers by lower-case name."""
    first, *lines = head.decode("latin-1").split("\r\n")
    path = first.split(" ")[1]
    pairs = (line.partition(":") for line in lines if line)
    return path, {name.lower(): value.strip() for name, _, value in pairs}


async def answer_while_connected(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, received: Received, answer: Scripted
) -> None:
    """Answer, but stop as soon as the client closes its side."""
    answering = asyncio.ensure_future(Response(writer, received).send(answer))
    leaving = asyncio.ensure_future(reader.read())
    try:
        await asyncio.wait((answering, leaving), return_when=asyncio.FIRST_COMPLETED)
        if not answering.done():
            received.client_left.set()
    finally:
        for task in (answering, leaving):
            task.cancel()
        await asyncio.gather(answering, leaving, return_exceptions=True)


class Response:
    """One response on the wire; each connection carries one."""

    def __init__(self, writer: asyncio.StreamWriter, received: Received) -> None:
        self._writer = writer
        self._received = received

    async def send(self, answer: Scripted) -> None:
        if isinstance(answer, Refusal):
            await self._refuse(answer)
            return
        await asyncio.sleep(answer.delay)
        if answer.ends == "silent":
            await asyncio.sleep(math.inf)
        elif answer.ends == "hung_up":
            return
        elif self._received.body.get("stream") and not answer.plain:
            await self._stream(answer)
        else:
            await self._send_json(200, self._whole(answer), {})

    async def _refuse(self, refusal: Refusal) -> None:
        if refusal.kind == "gateway":
            await self._send_whole(refusal.status, GATEWAY_PAGE, {"content-type": "text/html"})
            return
        body = self._received.wire.refusal(refusal, self._received.request_id)
        await self._send_json(refusal.status, body, self._received.wire.refusal_headers(refusal))

    def _whole(self, answer: Answer) -> Body:
        received = self._received
        return received.wire.whole(answer, received.body, received.response_id)

    async def _send_json(self, status: int, body: Body, headers: dict[str, str]) -> None:
        await self._send_whole(status, json.dumps(body).encode(), JSON | headers)

    async def _send_whole(self, status: int, data: bytes, headers: dict[str, str]) -> None:
        self._head(status, headers | {"content-length": str(len(data))})
        self._writer.write(data)
        await self._writer.drain()

    async def _stream(self, answer: Answer) -> None:
        self._head(200, EVENTS | {"transfer-encoding": "chunked"})
        async for frame in self._paced(answer):
            await self._send(frame)
            self._received.pieces_sent += frame.piece
        await self._end(answer)

    async def _paced(self, answer: Answer) -> AsyncIterator[Frame]:
        for frame in self._frames(answer):
            if frame.piece:
                await asyncio.sleep(answer.pause)
            yield frame

    def _frames(self, answer: Answer) -> Iterator[Frame]:
        received = self._received
        yield from received.wire.frames(answer, received.body, received.response_id)
        if answer.ends == "malformed":
            yield received.wire.malformed()
        elif answer.ends == "overloaded":
            yield received.wire.overloaded()

    async def _end(self, answer: Answer) -> None:
        match answer.ends:
            case "stalled":
                await asyncio.sleep(math.inf)
            case "dropped":
                pass
            case "reset":
                await asyncio.sleep(READING_TIME)
                reset(self._writer)
            case _:
                self._writer.write(LAST_CHUNK)
                await self._writer.drain()

    def _head(self, status: int, headers: dict[str, str]) -> None:
        name = self._received.wire.request_id_header
        own = {name: self._received.request_id} if name else {}
        lines = [f"HTTP/1.1 {status} {REASONS.get(status, 'Error')}"]
        lines += [f"{name}: {value}" for name, value in (headers | own).items()]
        self._writer.write("\r\n".join([*lines, "connection: close", "", ""]).encode())

    async def _send(self, frame: Frame) -> None:
        self._writer.write(b"%x\r\n%s\r\n" % (len(frame.data), frame.data))
        await self._writer.drain()


def reset(writer: asyncio.StreamWriter) -> None:
    """Close so that the other side gets RST instead of an orderly end."""
    at_once = struct.pack("ii", 1, 0)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
    writer.transport.abort()
