"""A process that is asked to end: it streams answers with tools until SIGTERM comes."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from crash_child import Log

from chatrecord import ChatRecordError
from chatrecord.sqlalchemy import Database, load_chat
from chatrecord.testing import Event, Script, call, meet, say


def run(url: str, chat_id: str, folder: Path, way: str, ready: Callable[[], None]) -> None:
    """The child's whole life; `way` names how it ends on SIGTERM."""
    with suppress(asyncio.CancelledError):
        asyncio.run(_WAYS[way](url, chat_id, folder, ready))


async def _in_a_block(url: str, chat_id: str, folder: Path, ready: Callable[[], None]) -> None:
    """As the docs show it: a signal ends the block of the database."""
    ending = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ending.set)
    async with Database(url) as db:
        working = asyncio.create_task(work(db, chat_id, folder))
        ready()
        await ending.wait()
    await working


async def _cancelled(url: str, chat_id: str, folder: Path, ready: Callable[[], None]) -> None:
    """As servers do it: the main task is cancelled."""
    main = asyncio.current_task()
    assert main is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, main.cancel)
    async with Database(url) as db:
        ready()
        await work(db, chat_id, folder)


async def _forgotten(url: str, chat_id: str, folder: Path, ready: Callable[[], None]) -> None:
    """Nobody closes the database: the loop ends, and cancels every task."""
    ending = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ending.set)
    db = Database(url)
    working = asyncio.create_task(work(db, chat_id, folder))
    ready()
    await ending.wait()
    del working


_WAYS = {"block": _in_a_block, "cancelled": _cancelled, "forgotten": _forgotten}


async def work(db: Database, chat_id: str, folder: Path) -> None:
    """Stream, and write down what was generated and what was delivered."""
    generated, delivered = Log(folder / "generated"), Log(folder / "delivered")

    def piece(text: str) -> list[Event]:
        async def note() -> None:
            await asyncio.sleep(0.005)
            generated.write(text)

        return [meet(note), say(text)]

    async def tool(n: int) -> str:
        await asyncio.sleep(0.03)
        return f"result {n}"

    answers = [
        [*(event for word in range(20) for event in piece(f"<{n}.{word} ünï>")), call("tool", n=n)]
        for n in range(500)
    ]
    chat = await load_chat(db, Script(*answers), chat_id, tools=[tool])
    try:
        async for chunk in chat.stream("Go"):
            delivered.write(chunk.text)
    except ChatRecordError as error:
        Log(folder / "error").write(type(error).__name__)
