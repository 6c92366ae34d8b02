"""Processes that answer what is queued, or wait for their turn, until they are killed."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from pydantic_ai.messages import ModelMessage, ToolReturnPart
from pydantic_ai.models.function import AgentInfo, DeltaToolCall, DeltaToolCalls, FunctionModel

from chatrecord.records import ChatRecord
from chatrecord.sqlalchemy import Database, load_chat
from chatrecord.testing import Script


def work(url: str, folder: Path, hangs_at: str | None, lease: float) -> None:
    """A worker, until SIGTERM. It never gets beyond the moment `hangs_at`: "killed" is a run that
    kills its worker, as a lack of memory does.
    """
    asyncio.run(_work(url, folder, hangs_at, lease))


async def _work(url: str, folder: Path, hangs_at: str | None, lease: float) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)

    def pay(n: int) -> str:
        """Pay so much."""
        with (folder / "paid").open("a") as file:
            file.write(f"{n}\n")
        return "paid"

    async def answered(
        messages: list[ModelMessage], _: AgentInfo
    ) -> AsyncIterator[str | DeltaToolCalls]:
        if not any(isinstance(part, ToolReturnPart) for it in messages for part in it.parts):
            yield {0: DeltaToolCall("pay", '{"n": 5}', tool_call_id="c1")}
            return
        if hangs_at == "tool":
            (folder / "hangs").touch()
            await asyncio.Event().wait()
        yield "All "
        if hangs_at == "text":
            await asyncio.Event().wait()
        if hangs_at == "killed":
            while not (folder / "seen").exists():  # noqa: ASYNC110 - a file sets no event
                await asyncio.sleep(0.01)
            os.kill(os.getpid(), signal.SIGKILL)
        yield "paid."

    def llm_for(_: ChatRecord) -> tuple[object, dict[str, object]]:
        return FunctionModel(stream_function=answered), {"tools": [pay]}

    async with Database(url, lease=timedelta(seconds=lease)) as db:
        await db.work(llm_for, stop=stop)


def wait_in_line(url: str, chat_id: UUID, lease: float) -> None:
    """Ask, while another run of the chat is active."""
    asyncio.run(_wait_in_line(url, chat_id, lease))


async def _wait_in_line(url: str, chat_id: UUID, lease: float) -> None:
    async with Database(url, lease=timedelta(seconds=lease)) as db:
        chat = await load_chat(db, Script(), chat_id, on_busy="wait")
        await chat.ask(f"asked by {os.getpid()}")
