"""A database that does not keep up holds the provider up, and memory does not grow."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from leftovers import Leftovers, leftovers
from pydantic_ai import Agent
from pydantic_ai.capabilities import ProcessEventStream
from sqlalchemy import make_url

from chatrecord.runs.backpressure import MAX_UNSTORED_CHARACTERS
from chatrecord.spending.limits import Limits
from chatrecord.sqlalchemy import Database, create_chat
from chatrecord.testing import Event, Script
from proxy import proxy_before

PIECE = "0123456789" * 20
WHOLE = PIECE * 10_000
"""Twenty times what may be ahead."""


class Torrent:
    """An answer that comes as fast as it is read."""

    def __init__(self) -> None:
        self.sent = 0
        self.begun = asyncio.Event()

    def flows(self) -> Event:
        async def happen(_place: int) -> AsyncIterator[str]:
            while self.sent < len(WHOLE):
                await asyncio.sleep(0)
                self.sent += len(PIECE)
                self.begun.set()
                yield PIECE

        return happen


async def listening(_context: object, events: Any) -> None:
    async for _ in events:
        pass


def agent(script: Script) -> Agent[Any, Any]:
    """An agent that listens to its own events."""
    return Agent(script, capabilities=[ProcessEventStream(listening)])


@contextmanager
def locked(path: str) -> Iterator[None]:
    """Nobody can write to this SQLite file."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("BEGIN EXCLUSIVE")
    try:
        yield
    finally:
        connection.execute("ROLLBACK")
        connection.close()


@pytest.mark.parametrize(
    "llm",
    [lambda script: script, pytest.param(agent, marks=pytest.mark.slow)],
    ids=["model", "agent"],
)
async def test_a_locked_database_holds_the_provider_up(db: Database, llm: Any) -> None:
    torrent = Torrent()
    # The idle timeout is for the provider: it is not silent while it is held up.
    chat = await create_chat(db, llm(Script([torrent.flows()])), limits=Limits(idle_timeout=1))
    asking = asyncio.create_task(chat.ask("Go"))
    await torrent.begun.wait()

    with locked(str(db.engine.url.database)):
        await asyncio.sleep(0.3)  # a transaction under way ends, and the torrent swells
        stored_at_most = torrent.sent
        await asyncio.sleep(1.3)
        assert torrent.sent <= stored_at_most + MAX_UNSTORED_CHARACTERS + len(PIECE)
        assert torrent.sent < len(WHOLE)

    assert (await asking).text == WHOLE
    assert (await chat.messages())[-1].text == WHOLE
    assert await leftovers(db) == Leftovers()


async def test_a_silent_server_holds_the_provider_up(postgresql_url: str) -> None:
    async with proxy_before(make_url(postgresql_url)) as proxy, Database(proxy.url) as db:
        torrent = Torrent()
        chat = await create_chat(db, Script([torrent.flows()]))
        asking = asyncio.create_task(chat.ask("Go"))
        await torrent.begun.wait()

        proxy.fall_silent()
        before = torrent.sent
        await asyncio.sleep(1.3)
        assert torrent.sent <= before + 2 * MAX_UNSTORED_CHARACTERS
        proxy.speak()

        assert (await asking).text == WHOLE
        assert (await chat.messages())[-1].text == WHOLE
