"""Every run that ends is told of, also those of killed processes, and none of them twice."""

from __future__ import annotations

import os
import signal
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import select
from test_kill import child, logged

from chatrecord.sqlalchemy import Database, create_chat
from chatrecord.sqlalchemy.tables import Run as RunRow
from chatrecord.testing import Script
from chatrecord.testing.look import until


@pytest.mark.parametrize("seed", [3])
async def test_a_killed_process_leaves_no_run_without_an_event(
    any_url: str, tmp_path: Path, seed: int
) -> None:
    """Its hooks are dead with it: another process tells that the last run was repaired."""
    async with Database(any_url) as db:
        chat = await create_chat(db, Script(), user_id="events")

        async def has_answered() -> bool:
            return f"<{seed} done>" in logged(tmp_path, "delivered")

        with child(chat, any_url, tmp_path, seed) as process:
            await until(has_answered)
            os.kill(process, signal.SIGKILL)

        async def is_repaired() -> bool:
            return await chat.active_run() is None

        await until(is_repaired)
        async with db.engine.connect() as connection:
            rows = await connection.execute(
                select(RunRow.id, RunRow.status).where(RunRow.chat_id == chat.id)
            )
            ended = {row.id: row.status for row in rows if row.status != "waiting"}
        told = [e async for e in db.events(follow=False, user_id="events") if e.chat_id == chat.id]

    assert Counter(event.run_id for event in told) == Counter(ended.keys())
    of_status = {"complete": "run.complete", "interrupted": "run.repaired"}
    assert {event.run_id: event.type for event in told} == {
        run_id: of_status[status] for run_id, status in ended.items()
    }
    assert set(ended.values()) >= {"complete"}
