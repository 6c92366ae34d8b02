"""A process that is going to be killed: its chat is compacted again and again."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from datetime import timedelta

from chatrecord import Compact
from chatrecord.sqlalchemy import Database, load_chat
from chatrecord.testing import Script, say

LEASE = timedelta(seconds=1.2)
ROUNDS = 60
LONG = "word " * 40


def run(url: str, chat_id: str, seed: int, *, ready: Callable[[], None]) -> None:
    """The child's whole life."""
    asyncio.run(_run(url, chat_id, seed, ready=ready))


async def _run(url: str, chat_id: str, seed: int, *, ready: Callable[[], None]) -> None:
    chance = random.Random(seed)
    answers = Script(*[[say(f"a{n} {LONG}")] for n in range(ROUNDS)])
    writer = Script(
        *[[say("The ", "gist ", f"{n}", pause=chance.uniform(0.005, 0.03))] for n in range(ROUNDS)]
    )
    compact = Compact(above=120, keep=1, llm=writer)
    chat = await load_chat(Database(url, lease=LEASE), answers, chat_id, compact=compact)
    ready()
    for n in range(ROUNDS):
        await chat.ask(f"q{n}")
