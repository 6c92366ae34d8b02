"""A proxy that loses its first connection once a certain word has passed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit


class Cutting:
    """Stands before a server."""

    def __init__(self, behind: str, after: bytes) -> None:
        self._behind = urlsplit(behind)
        self._after = after
        self._has_cut = False

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, here = await asyncio.open_connection(self._behind.hostname, self._behind.port)
        asking = asyncio.create_task(self._pass(reader, here))
        try:
            passed = b""
            while data := await there.read(65_536):
                passed += data
                end = passed.find(self._after) + len(self._after)
                if end >= len(self._after) and not self._has_cut:
                    self._has_cut = True
                    writer.write(data[: end - len(passed)] or data)
                    await writer.drain()
                    await asyncio.sleep(0.05)  # so that what was written is read
                    writer.transport.abort()
                    return
                writer.write(data)
                await writer.drain()
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
async def cutting(behind: str, *, after: bytes) -> AsyncIterator[str]:
    """The URL to go by."""
    proxy = Cutting(behind, after)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
