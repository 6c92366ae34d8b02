"""A Database that was made before a fork: each worker is a process of its own all the same."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import crowd_child
import pytest
from campaign import Campaign, campaign
from children import processes

ROUNDS = int(os.environ.get("CAMPAIGN_PAUSES", "6"))
LEASE = 1.2
"""Seconds: three workers on a busy machine lose a shorter one again and again."""


@contextmanager
def preloaded(crowd: Campaign, workers: int) -> Iterator[list[int]]:
    """A process that opens the database and forks workers; their ids."""
    ours, theirs = processes.Pipe()
    process = processes.Process(
        target=crowd_child.preloading,
        args=(crowd.place, crowd.chats, workers, theirs),
        daemon=True,
    )
    process.start()
    pids: list[int] = []
    try:
        assert ours.poll(60), "the server has not come up"
        pids = ours.recv()
        yield pids
    finally:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.join(30)
        process.kill()


async def survives_forks(url: str, folder: Path, rounds: int) -> None:
    chance = random.Random(1)
    async with campaign(url, folder, lease=LEASE) as crowd:
        with preloaded(crowd, 3) as workers:
            await crowd.at_work()
            for _ in range(rounds):
                await asyncio.sleep(chance.uniform(0.3, 1.5))
                paused = chance.choice(workers)
                os.kill(paused, signal.SIGSTOP)
                await asyncio.sleep(crowd.place.lease + chance.uniform(0.1, 0.6))
                os.kill(paused, signal.SIGCONT)
            await asyncio.sleep(1)
    await crowd.settle()
    await crowd.check()
    owners = crowd.place.logged("owners")
    assert len(owners) == len(set(owners)) == 3, "each worker owns its runs in its own name"


async def test_forked_workers_are_processes_of_their_own(own_url: str, tmp_path: Path) -> None:
    await survives_forks(own_url, tmp_path, 1)


@pytest.mark.slow
async def test_forked_workers_survive_many_pauses(own_url: str, tmp_path: Path) -> None:
    await survives_forks(own_url, tmp_path, ROUNDS)
