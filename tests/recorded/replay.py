"""A loopback HTTP server that answers with what was recorded, exchange by exchange."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from providers.server import parse_head

from .recordings import Body, Exchange, Recording
from .wires import wire_of


@dataclass(frozen=True)
class Sent:
    """A request of ours."""

    path: str
    body: Body


class ReplayServer:
    """See the module. An answer is given as a stream or whole, whichever is asked for."""

    def __init__(self, recording: Recording) -> None:
        self._left = deque(recording.exchanges)
        self.received: list[Sent] = []
        self.address = ""

    @property
    def unused(self) -> int:
        """How many exchanges nobody has asked for."""
        return len(self._left)

    async def __aenter__(self) -> Self:
        self._listener = await asyncio.start_server(self._serve, "127.0.0.1", 0)
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
        await self._listener.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            try:
                path, headers = parse_head(await reader.readuntil(b"\r\n\r\n"))
                body = await reader.readexactly(int(headers.get("content-length", "0")))
                sent = Sent(path, json.loads(body))
                self.received.append(sent)
                writer.write(response(self._left.popleft(), sent))
                await writer.drain()
            finally:
                writer.close()
                await writer.wait_closed()


def response(exchange: Exchange, sent: Sent) -> bytes:
    wire, is_streamed = wire_of(exchange), wants_stream(sent)
    body = exchange.body
    if exchange.is_answer and is_streamed != exchange.is_streamed:
        whole = not is_streamed
        body = json.dumps(wire.whole_of(body)) if whole else wire.stream_of(json.loads(body))
    kind = "text/event-stream" if exchange.is_answer and is_streamed else "application/json"
    headers = exchange.headers | {"content-type": kind, "connection": "close"}
    data = body.encode()
    lines = [f"HTTP/1.1 {exchange.status} Recorded", f"content-length: {len(data)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + data


def wants_stream(sent: Sent) -> bool:
    return bool(sent.body.get("stream")) or "streamGenerateContent" in sent.path
