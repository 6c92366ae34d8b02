"""A proxy before a database server that can fall silent, lose connections, and lose answers."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from sqlalchemy import URL

_PORTS = {"postgresql": 5432, "mysql": 3306}
_PLAIN = {"asyncpg": {"ssl": "disable"}, "psycopg": {"sslmode": "disable"}, "asyncmy": {}}
"""What makes each driver speak in plain text, so that a COMMIT can be seen."""

NO_TRANSACTION = b"Z\0\0\0\5I"
"""How PostgreSQL ends an answer, such as that to a COMMIT, after which no transaction is open."""


class Saboteur:
    """Decides, by its seed, where connections are cut; so many times and no more."""

    def __init__(self, seed: int, *, cuts: int, chance: float) -> None:
        self._chance = random.Random(seed)
        self._often = chance
        self._until_first = self._chance.randrange(1, 60)
        self.left = cuts
        self.lost_commits = 0

    def place_of_cut(self, data: bytes) -> int | None:
        """After how many of these bytes the connection is cut."""
        if not self._strikes(self._often):
            return None
        return self._chance.randrange(len(data))

    def loses_answer_to(self, data: bytes) -> bool:
        """Whether the server gets this, and its client never hears what became of it."""
        if b"COMMIT" not in data or not self._strikes(10 * self._often):
            return False
        self.lost_commits += 1
        return True

    def keeps(self, answer: bytes) -> bool:
        """Whether the client never hears this, which says that PostgreSQL has committed."""
        if not answer.endswith(NO_TRANSACTION) or not self._strikes(10 * self._often):
            return False
        self.lost_commits += 1
        return True

    def _strikes(self, often: float) -> bool:
        self._until_first -= 1
        strikes = self.left > 0 and (self._until_first == 0 or self._chance.random() < often)
        self.left -= strikes
        return strikes


class Proxy:
    """Stands between the driver and the server of a URL."""

    def __init__(self, behind: URL) -> None:
        self._behind = behind
        self._pairs: set[asyncio.Task[None]] = set()
        self._speaking = asyncio.Event()
        self._speaking.set()
        self.saboteur: Saboteur | None = None
        self.port = 0
        self.round_trips = 0

    @property
    def url(self) -> str:
        """Where to connect instead."""
        plain = _PLAIN[self._behind.get_driver_name()]
        here = self._behind.set(host="127.0.0.1", port=self.port, query=plain)
        return here.render_as_string(hide_password=False)

    def fall_silent(self) -> None:
        """Take everything and pass nothing on: no answer, no reset."""
        self._speaking.clear()

    def speak(self) -> None:
        """Pass on what was kept back, and what comes."""
        self._speaking.set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        task = asyncio.current_task()
        assert task is not None
        self._pairs.add(task)
        task.add_done_callback(self._pairs.discard)
        with suppress(OSError, asyncio.CancelledError):
            await self._connect(reader, writer)
        writer.transport.abort()

    async def close(self) -> None:
        """Cut whatever is open."""
        for pair in self._pairs:
            pair.cancel()
        await asyncio.gather(*self._pairs, return_exceptions=True)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._speaking.wait()
        server_reader, server_writer = await self._server()
        lost, answered = asyncio.Event(), asyncio.Event()
        ways = [
            asyncio.create_task(self._ask(reader, server_writer, lost, answered)),
            asyncio.create_task(self._answer(server_reader, writer, lost, answered)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            server_writer.transport.abort()

    async def _server(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        socket = self._behind.query.get("host")
        if isinstance(socket, str):
            return await asyncio.open_unix_connection(f"{socket}/.s.PGSQL.5432")
        port = self._behind.port or _PORTS[self._behind.get_backend_name()]
        return await asyncio.open_connection(self._behind.host, port)

    async def _ask(
        self,
        client: asyncio.StreamReader,
        server: asyncio.StreamWriter,
        lost: asyncio.Event,
        answered: asyncio.Event,
    ) -> None:
        while data := await client.read(65536):
            await self._speaking.wait()
            self.round_trips += answered.is_set()
            answered.clear()
            if self.saboteur and self.saboteur.loses_answer_to(data):
                lost.set()
            if not await self._passed(data, server):
                return

    async def _answer(
        self,
        server: asyncio.StreamReader,
        client: asyncio.StreamWriter,
        lost: asyncio.Event,
        answered: asyncio.Event,
    ) -> None:
        while data := await server.read(65536):
            await self._speaking.wait()
            if lost.is_set() or (self.saboteur and self.saboteur.keeps(data)):
                return
            answered.set()
            if not await self._passed(data, client):
                return

    async def _passed(self, data: bytes, target: asyncio.StreamWriter) -> bool:
        """Pass this on, or only the beginning of it."""
        place = self.saboteur.place_of_cut(data) if self.saboteur else None
        target.write(data[:place])
        await target.drain()
        return place is None


@asynccontextmanager
async def proxy_before(url: URL) -> AsyncIterator[Proxy]:
    """A proxy, for as long as the block lasts."""
    proxy = Proxy(url)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        proxy.speak()
        await proxy.close()
        await server.wait_closed()
