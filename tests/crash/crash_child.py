"""A process that is going to be killed: it streams scripted answers with tools, one after another.

What it has generated, and when, and what its reader was handed are appended to files, which outlive
it.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from time import monotonic

from chatrecord import ChatRecordError
from chatrecord.runs.policies import Deliver
from chatrecord.sqlalchemy import Database, load_chat
from chatrecord.testing import Script, call, meet, say


class Log:
    """A file that has what was written to it as soon as it was written."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def write(self, text: str) -> None:
        os.write(self._file, text.encode())


LEASE = timedelta(seconds=0.7)


def run(
    url: str, chat_id: str, folder: Path, seed: int, *, ready: Callable[[], None], deliver: Deliver
) -> None:
    """The child's whole life."""
    asyncio.run(_run(url, chat_id, folder, seed, ready=ready, deliver=deliver))


async def _run(
    url: str, chat_id: str, folder: Path, seed: int, *, ready: Callable[[], None], deliver: Deliver
) -> None:
    chance = random.Random(seed)
    generated, times, delivered, tools = (
        Log(folder / name) for name in ("generated", "times", "delivered", "tools")
    )

    def piece(text: str) -> list[object]:
        async def note() -> None:
            await asyncio.sleep(chance.uniform(0, 0.01))
            generated.write(text)
            times.write(f"{monotonic()}\n")

        return [meet(note), say(text)]

    async def work(n: int) -> str:
        tools.write(f"{n} started\n")
        await asyncio.sleep(chance.uniform(0, 0.05))
        tools.write(f"{n} ended\n")
        return f"result {n}"

    answers = []
    for number in range(30):
        words = [f"<{number}.{place} ünï>" for place in range(40)]
        events = [event for word in words for event in piece(word)]
        answers += [[*events, call("work", f"c{number}", n=number)], piece(f"<{number} done>")]
    db = Database(url, lease=LEASE)
    chat = await load_chat(db, Script(*answers), chat_id, tools=[work], deliver=deliver)
    ready()
    try:
        for number in range(30):
            async for chunk in chat.stream(f"question {number}"):
                delivered.write(chunk.text)
    except ChatRecordError as error:
        Log(folder / "error").write(type(error).__name__)
