"""`chatrecord repair`: end the runs whose process has died."""

from __future__ import annotations

import asyncio
from argparse import Namespace

from .database import existing_database
from .screen import Screen


def run(arguments: Namespace) -> int:
    """Repair the database, and say how much there was to do."""
    ended = asyncio.run(_repaired(arguments.db))
    runs = "no run was" if not ended else "1 run was" if ended == 1 else f"{ended} runs were"
    Screen().note(f"{runs.capitalize()} left open by a process that died")
    return 0


async def _repaired(place: str) -> int:
    async with existing_database(place) as db:
        return await db.repair()
