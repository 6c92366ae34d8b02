"""A proxy that counts round trips: how often a server answers after its client has spoken."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from sqlalchemy import make_url


class RoundTrips:
    """What went through so far."""

    def __init__(self) -> None:
        self.count = 0

    async def serve(
        self,
        client: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        server: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    ) -> None:
        """Carry bytes both ways until one of them leaves."""
        asked = [False]

        async def carry(
            reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, is_answer: bool
        ) -> None:
            while data := await reader.read(1 << 16):
                if is_answer and asked[0]:
                    self.count += 1
                asked[0] = not is_answer
                writer.write(data)
                await writer.drain()
            writer.close()

        with suppress(ConnectionError):
            await asyncio.gather(
                carry(client[0], server[1], is_answer=False),
                carry(server[0], client[1], is_answer=True),
            )


@asynccontextmanager
async def counted(url: str) -> AsyncIterator[tuple[str, RoundTrips]]:
    """The URL of this server by way of a proxy, and what it counts."""
    made, trips = make_url(url), RoundTrips()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there = await asyncio.open_connection(made.host or "localhost", made.port or 5432)
        await trips.serve((reader, writer), there)

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as proxy:
        port = proxy.sockets[0].getsockname()[1]
        through = made.set(host="127.0.0.1", port=port).update_query_dict({"ssl": "disable"})
        yield through.render_as_string(hide_password=False), trips
