"""What each worker process of these tests has: a database, an LLM, and an engine's job."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from pydantic_ai.messages import ModelMessage, ModelRequest, ToolReturnPart, UserPromptPart
from pydantic_ai.models.function import AgentInfo, DeltaToolCall, DeltaToolCalls, FunctionModel

from chatrecord.records import ChatRecord
from chatrecord.sqlalchemy import Database

URL = os.environ.get("CHATS_URL", "")
QUEUE = os.environ.get("CHATS_QUEUE", "")
BOOKED = Path(os.environ.get("CHATS_BOOKED", "booked"))
WORDS = [f"word{n} " for n in range(30)]


def database() -> Database:
    """The chats, in this process. Its lease is short: tests wait for the end of it."""
    return Database(URL, lease=timedelta(seconds=3))


def book(room: str) -> str:
    """Book a room."""
    with BOOKED.open("a") as booked:
        booked.write(f"{room}\n")
    return f"{room} is booked"


async def answer(
    messages: list[ModelMessage], _info: AgentInfo
) -> AsyncIterator[str | DeltaToolCalls]:
    asked, has_result = _question(messages)
    if "book" in asked and not has_result:
        yield {0: DeltaToolCall(name="book", json_args='{"room": "7"}', tool_call_id="c1")}
        return
    for word in WORDS:
        yield word
        await asyncio.sleep(0.1 if "slow" in asked else 0)


def _question(messages: list[ModelMessage]) -> tuple[str, bool]:
    parts = [part for it in messages if isinstance(it, ModelRequest) for part in it.parts]
    place = max(n for n, part in enumerate(parts) if isinstance(part, UserPromptPart))
    has_result = any(isinstance(part, ToolReturnPart) for part in parts[place:])
    return str(parts[place].content), has_result


def llm_for(_chat: ChatRecord) -> tuple[FunctionModel, dict[str, Any]]:
    return FunctionModel(stream_function=answer), {"tools": [book]}
