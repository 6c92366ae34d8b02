"""A server that is lost in the middle of a large statement, as by a crash, is waited for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from drivers import leaves_writers
from sqlalchemy import make_url

from chatrecord.errors import DatabaseFailed
from chatrecord.sqlalchemy import Database, create_chat
from chatrecord.testing import Script, call, say
from proxy import Proxy, Saboteur, proxy_before

pytestmark = leaves_writers

LARGE = 30_000
"""Bytes that nothing sends at once but the statement with the result."""


class Crash(Saboteur):
    """Loses the server in the middle of the first large statement."""

    def __init__(self, proxy: Proxy, *, away: float | None) -> None:
        super().__init__(0, cuts=0, chance=0)
        self._proxy = proxy
        self._away = away
        self._back = 0.0
        self.crashes = 0

    def place_of_cut(self, data: bytes) -> int | None:
        now = asyncio.get_running_loop().time()
        if len(data) > LARGE and not self.crashes:
            self.crashes += 1
            self._back = now + (self._away or 0)
            if self._away is None:
                self._proxy.fall_silent()
            return 0
        return 0 if now < self._back else None


@pytest.fixture
async def proxy(mariadb_url: str) -> AsyncIterator[Proxy]:
    async with proxy_before(make_url(mariadb_url)) as proxy:
        yield proxy


async def large() -> str:
    return "y" * 100_000


async def test_a_large_statement_outlives_a_server_that_is_away_for_a_while(proxy: Proxy) -> None:
    proxy.saboteur = crash = Crash(proxy, away=1.0)
    async with Database(proxy.url) as db:
        chat = await create_chat(db, Script([call("large")], [say("done")]), tools=[large])

        assert (await chat.ask("Go")).text == "done"
        assert crash.crashes == 1
        assert [row.result for row in await chat.tool_calls()] == ["y" * 100_000]


async def test_a_large_statement_to_a_server_that_stays_silent_fails_within_the_patience(
    proxy: Proxy,
) -> None:
    """To be told how much the server takes, it would have to answer."""
    proxy.saboteur = crash = Crash(proxy, away=None)
    async with Database(proxy.url, patience=timedelta(seconds=1)) as db:
        chat = await create_chat(db, Script([call("large")], [say("done")]), tools=[large])

        async with asyncio.timeout(15):
            with pytest.raises(DatabaseFailed):
                await chat.ask("Go")
        assert crash.crashes == 1
