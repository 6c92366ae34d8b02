"""A proxy that loses its first connection after so many bytes of the answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit


class Cutting:
    """Stands before a server."""

    def __init__(self, behind: str, after: int) -> None:
        self._behind = urlsplit(behind)
        self._left: int | None = after
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, here = await asyncio.open_connection(self._behind.hostname, self._behind.port)
        asking = asyncio.create_task(self._pass(reader, here))
        try:
            while data := await there.read(65_536):
                if self._left is not None:
                    data, self._left = data[: self._left], self._left - len(data)
                writer.write(data)
                await writer.drain()
                if self._left is not None and self._left <= 0:
                    self._left = None
                    writer.transport.abort()
                    return
        except ConnectionError:
            pass
        finally:
            asking.cancel()
            here.close()
            writer.close()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()


@asynccontextmanager
async def cutting(behind: str, *, after: int) -> AsyncIterator[str]:
    """The URL to go by."""
    proxy = Cutting(behind, after)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
