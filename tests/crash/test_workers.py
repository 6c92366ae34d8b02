"""Workers are killed: other workers go on, readers see no end, and no question is lost."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import worker_child
from children import processes

from chatrecord import Chat
from chatrecord.errors import WorkersDied
from chatrecord.records import Chunk
from chatrecord.sqlalchemy import Database, create_chat
from chatrecord.testing import Script, hang, say
from chatrecord.testing.look import has_journal, until

LEASE = 1.0


@contextmanager
def child(target: Any, *args: object) -> Iterator[Any]:
    process = processes.Process(target=target, args=args, daemon=True)
    process.start()
    try:
        yield process
    finally:
        process.kill()
        process.join()


async def read(chat: Chat, run_id: Any, seen: list[Chunk]) -> str:
    """What a reader has shown in the end."""
    async with chat.follow(run_id) as stream:
        async for chunk in stream:
            seen.append(chunk)  # noqa: PERF401 - it is looked at meanwhile
    void = {chunk.message_id for chunk in seen if chunk.kind == "restart"}
    return "".join(chunk.text for chunk in seen if chunk.message_id not in void)


@pytest.mark.parametrize("moment", ["text", "tool"])
async def test_another_worker_goes_on_where_one_was_killed(
    own_url: str, tmp_path: Path, moment: str
) -> None:
    async with Database(own_url, lease=timedelta(seconds=LEASE)) as db:
        chat = await create_chat(db, Script(), user_id="crash")
        run_id, seen = await chat.submit("Pay"), []  # type: tuple[Any, list[Chunk]]
        reading = asyncio.create_task(read(chat, run_id, seen))
        with child(worker_child.work, own_url, tmp_path, moment, LEASE):
            if moment == "tool":
                await until(lambda: _exists(tmp_path / "hangs"))
            else:
                await until(lambda: _has_text(seen))
        later = await chat.submit("And?")

        with child(worker_child.work, own_url, tmp_path, None, LEASE):
            async with asyncio.timeout(30):
                assert await reading == "All paid."
                assert (await chat.follow(later)).text == "All paid."

        assert (tmp_path / "paid").read_text() == "5\n"
        assert [run.status for run in await chat.runs()] == ["complete", "complete"]
        answers = [row.text for row in await chat.messages() if row.status == "complete"]
        assert answers == ["Pay", "", "", "All paid.", "And?", "All paid."]
        assert await db.doctor() == []


async def test_a_run_that_kills_each_of_its_workers_fails(own_url: str, tmp_path: Path) -> None:
    async with Database(own_url, lease=timedelta(seconds=LEASE)) as db:
        chat = await create_chat(db, Script(), user_id="crash")
        run_id, seen = await chat.submit("Pay"), []  # type: tuple[Any, list[Chunk]]
        later = await chat.submit("And?")
        reading = asyncio.create_task(read(chat, run_id, seen))
        for _ in range(3):
            with child(worker_child.work, own_url, tmp_path, "killed", LEASE) as worker:
                await until(lambda: _has_text(seen))
                (tmp_path / "seen").touch()
                await asyncio.to_thread(worker.join, 30)
                assert worker.exitcode == -signal.SIGKILL

        with child(worker_child.work, own_url, tmp_path, None, LEASE):
            async with asyncio.timeout(30):
                with pytest.raises(WorkersDied, match="3 workers in a row"):
                    await reading
                assert (await chat.follow(later)).text == "All paid."

        assert [run.status for run in await chat.runs()] == ["complete", "failed"]
        assert (tmp_path / "paid").read_text() == "5\n"
        rows = [(row.text, row.status) for row in await chat.messages()]
        assert ("Pay", "complete") in rows
        assert {text for text, status in rows if status in ("superseded", "interrupted")} >= {
            "All "
        }
        assert await db.doctor() == []


async def test_a_deploy_hands_a_run_to_another_worker_at_once(tmp_path: Path) -> None:
    """Long before the lease of the old one is over."""
    own_url = f"sqlite+aiosqlite:///{tmp_path / 'chats.db'}"
    async with Database(own_url) as db:
        await db.create_tables()
        chat = await create_chat(db, Script(), user_id="crash")
        run_id, seen = await chat.submit("Pay"), []  # type: tuple[Any, list[Chunk]]
        reading = asyncio.create_task(read(chat, run_id, seen))
        with child(worker_child.work, own_url, tmp_path, "text", 600) as old:
            await until(lambda: _has_text(seen))
            old.terminate()
            await asyncio.to_thread(old.join, 20)
            assert old.exitcode == 0

        with child(worker_child.work, own_url, tmp_path, None, 600):
            async with asyncio.timeout(30):
                assert await reading == "All paid."
        assert (tmp_path / "paid").read_text() == "5\n"


async def test_a_question_outlives_the_process_in_which_it_waits(tmp_path: Path) -> None:
    own_url = f"sqlite+aiosqlite:///{tmp_path / 'chats.db'}"
    async with Database(own_url, lease=timedelta(seconds=LEASE)) as db:
        await db.create_tables()
        chat = await create_chat(db, Script([say("half"), hang()]), user_id="crash")
        asking = asyncio.create_task(chat.ask("first"))
        await until(lambda: has_journal(db, chat))
        with child(worker_child.wait_in_line, own_url, chat.id, LEASE) as waiting:
            await until(lambda: _waits(chat))
            asked = f"asked by {waiting.pid}"
        await chat.stop()
        await asyncio.wait([asking])
        async with asyncio.timeout(20):
            while not (lost := await chat.runs(status="interrupted", limit=1)) or (
                lost[0].question_text != asked
            ):
                await db.repair()
                await asyncio.sleep(0.1)

        reply = await db.work_on(lost[0].id, lambda _: Script([say("Here.")]))

        assert reply.text == "Here."
        assert [row.text for row in await chat.messages()][-2:] == [asked, "Here."]


async def _exists(path: Path) -> bool:
    return await asyncio.to_thread(os.path.exists, path)


async def _has_text(seen: list[Chunk]) -> bool:
    return any(chunk.text for chunk in seen)


async def _waits(chat: Chat) -> bool:
    return bool(await chat.runs(status="waiting"))
