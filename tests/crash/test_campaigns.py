"""Everything at once, in a crowd of chats, while its process is killed and paused again and again.

Live tools, approvals, queues, attachments, compaction, titles, budgets and encryption; two other
processes follow, decide, ask, stop and repair. Afterwards the doctor finds nothing, what was shown
is stored, no tool has run twice, and every chat goes on.

The slow campaigns take their numbers from the environment. Those that docs/guarantees.md tells of:

    CAMPAIGN_KILLS=1000 CAMPAIGN_PAUSES=100 CAMPAIGN_OUTAGE=600 \\
        pytest -m slow tests/crash/test_campaigns.py tests/crash/test_forks.py
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
from pathlib import Path

import pytest
from campaign import Campaign, campaign
from drivers import leaves_writers
from sqlalchemy import make_url

from proxy import Proxy, Saboteur, proxy_before

KILLS = int(os.environ.get("CAMPAIGN_KILLS", "60"))
PAUSES = int(os.environ.get("CAMPAIGN_PAUSES", "10"))
OUTAGE = float(os.environ.get("CAMPAIGN_OUTAGE", "20"))
"""Seconds."""
LEASE = float(os.environ.get("CAMPAIGN_LEASE", "0.7"))
SEED = int(os.environ.get("CAMPAIGN_SEED", "1"))


async def killed(crowd: Campaign, times: int, chance: random.Random) -> None:
    """Kill the process that asks, at any instant, and start another; so many times."""
    for number in range(times):
        with crowd.worker(number) as process:
            if number == 0:
                await crowd.at_work()
            await asyncio.sleep(chance.uniform(0.05, 0.9))
            process.kill()
            process.join()


async def paused(crowd: Campaign, times: int, chance: random.Random) -> None:
    """Pause the process that asks for longer than its lease, and let it go on; so many times."""
    with crowd.worker(0) as process:
        assert process.pid is not None
        await crowd.at_work()
        for _ in range(times):
            await asyncio.sleep(chance.uniform(0.1, 1.5))
            os.kill(process.pid, signal.SIGSTOP)
            await asyncio.sleep(crowd.place.lease + chance.uniform(0.05, 0.6))
            os.kill(process.pid, signal.SIGCONT)
            assert process.is_alive(), crowd.place.logged("wrong")
        await asyncio.sleep(chance.uniform(0.1, 1.5))


async def troubled(crowd: Campaign, proxy: Proxy, seconds: float, chance: random.Random) -> None:
    """Cut connections at any byte, lose answers to COMMIT, and fall silent, for so long."""
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds
    with crowd.worker(0) as process:
        while loop.time() < until:
            proxy.saboteur = Saboteur(chance.randrange(10**6), cuts=6, chance=0.02)
            await asyncio.sleep(chance.uniform(0.2, 1.5))
            proxy.saboteur = None
            proxy.fall_silent()
            await asyncio.sleep(chance.uniform(0.05, 1.0))
            proxy.speak()
            assert process.is_alive(), crowd.place.logged("wrong")
            await asyncio.sleep(chance.uniform(0, 1.0))


async def survives_outages(url: str, folder: Path, seconds: float) -> None:
    async with proxy_before(make_url(url)) as proxy:
        async with campaign(url, folder, lease=LEASE, through=proxy.url) as crowd:
            await troubled(crowd, proxy, seconds, random.Random(SEED))
        await crowd.settle()
        await crowd.check()


async def test_a_crowd_whose_process_is_killed_loses_nothing(own_url: str, tmp_path: Path) -> None:
    async with campaign(own_url, tmp_path, lease=LEASE) as crowd:
        await killed(crowd, 4, random.Random(SEED))
    await crowd.settle()
    await crowd.check()


async def test_a_crowd_whose_process_is_paused_loses_nothing(own_url: str, tmp_path: Path) -> None:
    async with campaign(own_url, tmp_path, lease=LEASE) as crowd:
        await paused(crowd, 2, random.Random(SEED))
    await crowd.settle()
    await crowd.check()


@pytest.mark.slow
async def test_a_crowd_survives_many_kills(own_url: str, tmp_path: Path) -> None:
    async with campaign(own_url, tmp_path, lease=LEASE) as crowd:
        await killed(crowd, KILLS, random.Random(SEED))
    await crowd.settle()
    await crowd.check()


@pytest.mark.slow
async def test_a_crowd_survives_many_pauses(own_url: str, tmp_path: Path) -> None:
    async with campaign(own_url, tmp_path, lease=LEASE) as crowd:
        await paused(crowd, PAUSES, random.Random(SEED))
    await crowd.settle()
    await crowd.check()


@pytest.fixture(params=["postgresql", "mariadb"])
def server_url(request: pytest.FixtureRequest) -> str:
    """One server after the other: a file has no connections to lose."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@leaves_writers
@pytest.mark.slow
async def test_a_crowd_survives_the_loss_of_connections(server_url: str, tmp_path: Path) -> None:
    await survives_outages(server_url, tmp_path, OUTAGE)
