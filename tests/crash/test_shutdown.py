"""A process is asked to end: what it had is stored at once, and its chats are free."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from pathlib import Path

import pytest
import shutdown_child
from children import processes

from chatrecord.sqlalchemy import Database, create_chat, load_chat
from chatrecord.testing import Script, say
from chatrecord.testing.look import until


def logged(folder: Path, name: str) -> str:
    path = folder / name
    return path.read_bytes().decode(errors="ignore") if path.exists() else ""


@pytest.mark.parametrize("way", ["block", "cancelled", "forgotten"])
async def test_a_process_that_is_asked_to_end_leaves_nothing_open(
    any_url: str, tmp_path: Path, way: str
) -> None:
    async with Database(any_url) as db:
        chat = await create_chat(db, Script(), user_id="shutdown")
        await _terminated(any_url, str(chat.id), tmp_path, way)

        run_ids = {message.run_id for message in await chat.messages(1000)}
        runs = [await db.store.get_run(chat.id, run_id) for run_id in run_ids if run_id]
        assert [run.status for run in runs if run] == ["interrupted"], "its lease is not waited for"

        messages = await chat.messages(1000)
        answers = [message for message in messages if message.role == "assistant"]
        stored = "".join(message.text for message in answers)
        assert logged(tmp_path, "generated").startswith(stored)
        assert stored.startswith(logged(tmp_path, "delivered"))
        assert {answer.status for answer in answers} <= {"complete", "interrupted"}
        calls = await chat.tool_calls()
        assert {call.status for call in calls} <= {"complete", "interrupted"}
        for answer in answers:
            assert await db.store.journal(answer.id, after=-1) == []

        again = await load_chat(db, Script([say("On we go.")]), chat.id)
        assert (await again.ask("And now?")).text == "On we go."


async def _terminated(url: str, chat_id: str, folder: Path, way: str) -> None:
    """A process that has streamed for a while, and ended when it was asked to."""
    ready = processes.Event()
    process = processes.Process(
        target=shutdown_child.run, args=(url, chat_id, folder, way, ready.set), daemon=True
    )
    process.start()
    try:
        assert await asyncio.to_thread(ready.wait, 60), "the child has not come up"
        await until(lambda: _has_delivered(folder))
        await asyncio.sleep(random.uniform(0, 0.3))
        assert process.pid is not None
        os.kill(process.pid, signal.SIGTERM)
        await asyncio.to_thread(process.join, 20)
        assert process.exitcode == 0, "it ends promptly, and by itself"
    finally:
        process.kill()
        process.join()


async def _has_delivered(folder: Path) -> bool:
    return len(logged(folder, "delivered")) > 200
