"""A process is killed while it exports or erases an owner: another one goes on, and nothing is left."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from pathlib import Path
from uuid import uuid4

import erasing_child
import pytest
from children import processes

from chatrecord.sqlalchemy import (
    Database,
    create_chat,
    erase_owner,
    export_chat,
    export_owner,
    import_chat,
)
from chatrecord.testing import Script, call, say

CHATS = 60


def add(a: int, b: int) -> int:
    return a + b


@pytest.mark.parametrize("seed", range(2))
async def test_what_a_killed_process_has_begun_is_finished_by_another(
    own_url: str, seed: int, tmp_path: Path
) -> None:
    folder = tmp_path / "exported"
    folder.mkdir()
    async with Database(own_url) as db:
        user, other = str(uuid4()), str(uuid4())
        theirs = await filled(db, other)
        for _ in range(CHATS):
            await copied(db, theirs, user)
        ready = processes.Event()
        process = processes.Process(
            target=erasing_child.run,
            args=(own_url, str(folder), user),
            kwargs={"ready": ready.set},
            daemon=True,
        )
        process.start()
        assert await asyncio.to_thread(ready.wait, 60), "the child has not come up"
        await asyncio.sleep(random.Random(seed).uniform(0.1, 0.6))
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)
        process.join()

        left = len(await db.store.every_chat({"user_id": user}, after=None, limit=CHATS))
        assert await export_owner(db, folder, user_id=user) == left
        assert await erase_owner(db, user_id=user) == left

        whole = lengths(folder)
        assert len(whole) == CHATS, "and no file that is not whole"
        assert len(set(whole)) == 1, "each has all its lines"
        assert await db.store.every_chat({"user_id": user}, after=None, limit=9) == []
        assert await lines(db, theirs) == whole[0]
        assert await db.doctor() == []


def lengths(folder: Path) -> list[int]:
    return [len(path.read_text().splitlines()) for path in folder.iterdir()]


async def filled(db: Database, user: str) -> object:
    script = Script([call("add", a=1, b=2)], [say("3")])
    chat = await create_chat(db, script, tools=[add], user_id=user)
    await chat.ask("1 + 2?")
    return chat.id


async def copied(db: Database, chat_id: object, user: str) -> None:
    found = [line async for line in export_chat(db, str(chat_id))]
    await import_chat(db, found, new_ids=True, user_id=user)


async def lines(db: Database, chat_id: object) -> int:
    return len([line async for line in export_chat(db, str(chat_id))])
