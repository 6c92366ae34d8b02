"""A campaign: a crowd of chats, a process that works on them, two that look on, and the count."""

from __future__ import annotations

import asyncio
import json
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import crowd_child
from children import processes
from crowd import Person, Place
from sqlalchemy import func, select
from strict import StrictScript

from chatrecord.sqlalchemy import Database, Keys, load_chat
from chatrecord.testing import say

CHATS = 10


@dataclass(frozen=True)
class Campaign:
    """A place with chats in it."""

    place: Place
    chats: list[str]
    working: Place
    """The same place, as its processes reach it."""

    @contextmanager
    def worker(self, seed: int) -> Iterator[BaseProcess]:
        """A process that asks in every chat. It is killed in the end, if not before."""
        ready = processes.Event()
        process = processes.Process(
            target=crowd_child.asking, args=(self.working, self.chats, seed, ready.set), daemon=True
        )
        process.start()
        try:
            assert ready.wait(60), "the child has not come up"
            yield process
        finally:
            process.kill()
            process.join()

    async def at_work(self) -> None:
        """Wait until something was shown: on a busy machine processes take seconds to begin."""
        async with asyncio.timeout(60):
            while not self.place.logged("shown"):  # noqa: ASYNC110 - other processes write it
                await asyncio.sleep(0.05)

    async def settle(self) -> None:
        """Wait until the lease of whoever was killed is over, and end what it has left."""
        await asyncio.sleep(self.place.lease + 0.3)
        async with self.place.database() as db:
            await db.repair()

    async def check(self) -> None:
        """Count: nothing is broken, lost or done twice, and every chat goes on."""
        print(await self.figures())
        assert self.place.logged("wrong") == []
        async with self.place.database() as db:
            assert await db.doctor() == []
            await self._check_what_was_shown(db)
            await self._check_what_was_done(db)
            for chat_id in self.chats:
                script = StrictScript([say("I go on.")])
                chat = await load_chat(db, script, chat_id, on_parked="deny")
                assert (await chat.ask("And now?")).text == "I go on."
            assert await db.doctor() == []

    async def figures(self) -> str:
        """How much has happened."""
        async with self.place.database() as db:
            run = db.models.run.__table__
            async with db.engine.connect() as connection:
                found = await connection.execute(
                    select(run.c.status, func.count()).group_by(run.c.status)
                )
                runs = dict(tuple(row) for row in found)
        told = Counter(self.place.logged("told"))
        answers = {json.loads(line)[1] for line in self.place.logged("shown")}
        tools = len(self.place.logged("ran"))
        return f"{runs=} answers shown={len(answers)} {tools=} told={dict(told)}"

    async def _check_what_was_shown(self, db: Database) -> None:
        shown: dict[tuple[str, str], str] = defaultdict(str)
        for line in self.place.logged("shown"):
            reader, message_id, text = json.loads(line)
            shown[reader, message_id] += text
        stored = {
            m.id.hex: m.text for chat in await self._loaded(db) for m in await chat.messages(10**6)
        }
        lost = {
            key: (text, stored.get(key[1]))
            for key, text in shown.items()
            if not stored.get(key[1], "").startswith(text)
        }
        assert lost == {}, "what was shown is stored"
        assert shown

    async def _check_what_was_done(self, db: Database) -> None:
        times = Counter(self.place.logged("ran"))
        assert [token for token, number in times.items() if number > 1] == [], "no tool runs twice"
        calls = [call for chat in await self._loaded(db) for call in await chat.tool_calls()]
        rows: dict[Any, str] = {call.arguments["token"]: call.status for call in calls}  # type: ignore[index,call-overload]
        assert times.keys() <= rows.keys(), "a tool that has started has a row"
        unknown = {token for token, status in rows.items() if status == "complete"} - times.keys()
        assert unknown == set(), "a call that is complete has run"
        untrue = {
            (token, status)
            for token, status in rows.items()
            if token in times and status not in ("complete", "interrupted")
        }
        assert untrue == set(), (
            "a tool that has run is not said to have failed, or never to have run"
        )

    async def _loaded(self, db: Database) -> list[Any]:
        return [await load_chat(db, StrictScript(), chat_id) for chat_id in self.chats]


@asynccontextmanager
async def campaign(
    url: str, folder: Path, *, lease: float = 0.7, through: str | None = None
) -> AsyncIterator[Campaign]:
    """A crowd of chats that two processes look on, which follow, decide, ask, repair and stop.

    All of them but the one that counts go `through` another URL, where there is one.
    """
    place = Place(url, Keys.new(), folder, lease)
    async with place.database() as db:
        chats = [str((await Person(place, db, 0).new_chat()).id) for _ in range(CHATS)]
    working = replace(place, url=through or url)
    ending = processes.Event()
    lookers = [
        processes.Process(
            target=crowd_child.looking_on, args=(working, chats, seed, ending), daemon=True
        )
        for seed in (1_000_001, 1_000_002)
    ]
    for looker in lookers:
        looker.start()
    try:
        yield Campaign(place, chats, working)
    finally:
        ending.set()
        for looker in lookers:
            await asyncio.to_thread(looker.join, 30)
            looker.kill()
    assert [looker.exitcode for looker in lookers] == [0, 0], place.logged("wrong")
