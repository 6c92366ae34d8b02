"""A process is killed at any instant: what it leaves is whole, and the chat goes on."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import crash_child
import pytest
from children import processes
from strict import StrictScript

from chatrecord import Chat
from chatrecord.runs.chunk_buffer import EARLY
from chatrecord.runs.policies import Deliver
from chatrecord.sqlalchemy import Database, create_chat, load_chat
from chatrecord.testing import Script, say
from chatrecord.testing.look import until


@contextmanager
def child(
    chat: Chat, url: str, folder: Path, seed: int, deliver: Deliver = "stored"
) -> Iterator[int]:
    """A process that works on the chat; its id. It is killed in the end, if not before."""
    ready = processes.Event()
    process = processes.Process(
        target=crash_child.run,
        args=(url, str(chat.id), folder, seed),
        kwargs={"ready": ready.set, "deliver": deliver},
        daemon=True,
    )
    process.start()
    try:
        assert ready.wait(60), "the child has not come up"
        assert process.pid is not None
        yield process.pid
    finally:
        process.kill()
        process.join()


def logged(folder: Path, name: str) -> str:
    path = folder / name
    return path.read_bytes().decode(errors="ignore") if path.exists() else ""


async def survives_a_kill(url: str, folder: Path, seed: int, deliver: Deliver = "stored") -> None:
    chance = random.Random(seed)
    async with Database(url) as db:
        chat = await create_chat(db, Script(), user_id="crash")
        with child(chat, url, folder, seed, deliver) as process:
            await asyncio.sleep(chance.uniform(0.02, 1.2))
            os.kill(process, signal.SIGKILL)
        await until(lambda: _is_dead_or_idle(chat))

        strict = StrictScript([say("I go on.")])
        again = await load_chat(db, strict, chat.id)
        assert (await again.ask("And now?")).text == "I go on."

        await _is_whole(again, folder, deliver)


async def _is_dead_or_idle(chat: Chat) -> bool:
    return await chat.active_run() is None


async def _is_whole(chat: Chat, folder: Path, deliver: Deliver = "stored") -> None:
    messages = await chat.messages(limit=10_000)
    answers = [message for message in messages if message.role == "assistant"][:-1]
    stored = "".join(message.text for message in answers)
    generated, delivered = logged(folder, "generated"), logged(folder, "delivered")

    assert generated.startswith(stored), "what is stored is a prefix of what was generated"
    ends = [(message.status, message.text[-30:]) for message in answers]
    if deliver == "early":
        _was_barely_ahead(stored, delivered, folder)
    else:
        assert stored.startswith(delivered), f"delivered ...{delivered[-60:]!r}, but stored {ends}"
    assert all(message.status in ("complete", "interrupted") for message in answers)
    asked = [message.text for message in messages if message.role == "user"]
    assert asked[:-1] == [f"question {n}" for n in range(len(asked) - 1)]

    rows = {call.arguments["n"]: call for call in await chat.tool_calls()}  # type: ignore[index,call-overload]
    started = {
        int(line.split()[0]) for line in logged(folder, "tools").splitlines() if "started" in line
    }
    assert started <= set(rows), "a tool that has started has a row"
    assert all(call.status in ("complete", "interrupted") for call in rows.values())
    assert [m.seq for m in messages] == sorted({m.seq for m in messages})
    for message in answers:
        assert await chat._backend.store.journal(message.id, after=-1) == []


def _was_barely_ahead(stored: str, delivered: str, folder: Path) -> None:
    """What was shown and is lost came within the time that the documentation gives."""
    assert delivered.startswith(stored) or stored.startswith(delivered)
    times = [float(line) for line in logged(folder, "times").split()]
    lost = times[stored.count(">") : delivered.count(">")]
    scheduling = 0.1  # between a piece's time and its delivery
    assert not lost or lost[-1] - lost[0] < EARLY + scheduling


@pytest.mark.parametrize("seed", range(4))
async def test_a_killed_process_loses_nothing(any_url: str, tmp_path: Path, seed: int) -> None:
    await survives_a_kill(any_url, tmp_path, seed)


@pytest.mark.parametrize("seed", range(3))
async def test_a_killed_process_that_was_early_loses_a_quarter_of_a_second_at_most(
    any_url: str, tmp_path: Path, seed: int
) -> None:
    await survives_a_kill(any_url, tmp_path, seed, "early")


async def test_a_paused_process_finds_that_its_run_was_taken(any_url: str, tmp_path: Path) -> None:
    async with Database(any_url) as db:
        chat = await create_chat(db, Script(), user_id="crash")
        with child(chat, any_url, tmp_path, seed=1) as process:
            await until(lambda: _has_delivered(tmp_path))
            os.kill(process, signal.SIGSTOP)
            await until(lambda: _is_dead_or_idle(chat))
            again = await load_chat(db, StrictScript([say("I go on.")]), chat.id)
            await again.ask("And now?")
            kept = await again.messages(limit=10_000)

            os.kill(process, signal.SIGCONT)
            await until(lambda: _has_ended(tmp_path))

        assert logged(tmp_path, "error") == "LeaseLost"
        assert await again.messages(limit=10_000) == kept
        await _is_whole(again, tmp_path)


async def _has_delivered(folder: Path) -> bool:
    return len(logged(folder, "delivered")) > 200


async def _has_ended(folder: Path) -> bool:
    return bool(logged(folder, "error"))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("deliver", "seed"),
    [*(("stored", seed) for seed in range(100, 120)), *(("early", seed) for seed in range(15))],
)
async def test_many_killed_processes_lose_nothing(
    any_url: str, tmp_path: Path, seed: int, deliver: Deliver
) -> None:
    await survives_a_kill(any_url, tmp_path, seed, deliver)
