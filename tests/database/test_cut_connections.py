"""Connections are cut at any byte, and after a COMMIT whose answer never comes."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from drivers import DRIVERS, leaves_writers, url_by
from leftovers import Leftovers, leftovers
from sqlalchemy import URL
from talk import talks

from chatrecord.sqlalchemy import Database
from proxy import Saboteur, proxy_before

pytestmark = leaves_writers


@pytest.fixture(params=DRIVERS)
def server_url(request: pytest.FixtureRequest) -> URL:
    """A server, by each driver."""
    return url_by(request.param, request)


async def survives_cuts(url: URL, seed: int) -> None:
    async with proxy_before(url) as proxy, Database(proxy.url, patience=timedelta(minutes=1)) as db:
        six = talks(6, pieces=20, pause=0.02)
        for talk in six:
            await talk.prepare(db)

        saboteur = proxy.saboteur = Saboteur(seed, cuts=30, chance=0.005)
        shown = await asyncio.gather(*(talk.hold(db) for talk in six))
        proxy.saboteur = None

        assert shown == [talk.whole for talk in six]
        assert [await talk.stored() for talk in six] == shown
        assert [await talk.statuses() for talk in six] == [{"complete"}] * 6
        assert all([len(await talk.chat.messages()) == 4 for talk in six if talk.chat])
        assert await leftovers(db) == Leftovers()
        assert saboteur.left < 30, "nothing was cut"


@pytest.mark.parametrize("seed", range(2))
async def test_cut_connections_lose_nothing_and_double_nothing(server_url: URL, seed: int) -> None:
    await survives_cuts(server_url, seed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 140))
async def test_many_more_cut_connections_lose_nothing(server_url: URL, seed: int) -> None:
    await survives_cuts(server_url, seed)
