"""A process is killed while it sums up a chat: no half a summary is left, and the chat goes on."""

from __future__ import annotations

import asyncio
import os
import random
import signal

import compacting_child
import pytest
from children import processes

from chatrecord import Compact
from chatrecord.sqlalchemy import Database, create_chat, load_chat
from chatrecord.testing import Script, say
from chatrecord.testing.look import until


@pytest.mark.parametrize("seed", range(5))
async def test_a_killed_process_leaves_no_half_a_summary(any_url: str, seed: int) -> None:
    async with Database(any_url) as db:
        chat = await create_chat(db, Script(), user_id="crash")
        ready = processes.Event()
        process = processes.Process(
            target=compacting_child.run,
            args=(any_url, str(chat.id), seed),
            kwargs={"ready": ready.set},
            daemon=True,
        )
        process.start()
        assert await asyncio.to_thread(ready.wait, 60), "the child has not come up"
        await until(lambda: _is_summed_up(db, str(chat.id)))
        await asyncio.sleep(random.Random(seed).uniform(0, 0.7))
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        await until(lambda: _is_over(db, str(chat.id)))

        compact = Compact(above=120, keep=1, llm=Script([say("Gist")]))
        again = await load_chat(db, Script([say("I go on.")]), chat.id, compact=compact)
        assert (await again.ask("And now?")).text == "I go on."

        summaries = await again.summaries()
        whole = {f"The gist {n}" for n in range(compacting_child.ROUNDS)} | {"Gist"}
        assert summaries
        assert {summary.text for summary in summaries} <= whole
        assert {summary.status for summary in summaries} == {"complete"}
        requests = await again.requests()
        assert all(row.status in ("complete", "interrupted") for row in requests)
        ids = {row.message_id for row in requests}
        assert {summary.id for summary in summaries} <= ids
        messages = await again.messages(limit=1000)
        assert [message.role for message in messages] == ["user", "assistant"] * (
            len(messages) // 2
        )


async def _is_over(db: Database, chat_id: str) -> bool:
    chat = await load_chat(db, Script(), chat_id)
    return await chat.active_run() is None


async def _is_summed_up(db: Database, chat_id: str) -> bool:
    chat = await load_chat(db, Script(), chat_id)
    return bool(await chat.summaries())
