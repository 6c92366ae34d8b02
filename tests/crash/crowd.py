"""A crowd of chats that use everything at once, for processes that are killed, paused and forked.

What readers are shown, and which tool has run, is appended to files, which outlive the process.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from crash_child import Log
from pydantic_ai import Tool
from pydantic_ai.messages import ModelMessage, ModelRequest, ToolReturnPart
from pydantic_ai.models.function import AgentInfo, DeltaToolCall, FunctionModel

from chatrecord import Attachment, Budget, Chat, ChatRecordError, ChatStream, Compact
from chatrecord.errors import DatabaseFailed
from chatrecord.sqlalchemy import Database, Keys, create_chat, load_chat

OWNER = "crowd"
PLENTY = 10**12
"""Tokens of a budget that is never used up, and is asked before every request."""
_CANCELLED_WHILE_CONNECTING = "unexpected connection_lost() call"
"""What asyncpg leaves to the collector of a task that is cancelled as its socket opens."""


@dataclass(frozen=True)
class Place:
    """Where a crowd lives: its database, its key, the lease, and the folder of its logs."""

    url: str
    key: str
    folder: Path
    lease: float = 0.7

    def database(self) -> Database:
        """The database, as each process opens it."""
        lease = timedelta(seconds=self.lease)
        return Database(self.url, lease=lease, encryption=Keys(self.key))

    def log(self, name: str) -> Log:
        return Log(self.folder / name)

    def logged(self, name: str) -> list[str]:
        path = self.folder / name
        return path.read_text().splitlines() if path.exists() else []


class Talker(FunctionModel):
    """Answers anything: some words, now and then a call of a tool or two, and some words more."""

    def __init__(self, chance: random.Random) -> None:
        super().__init__(stream_function=self._answer, model_name="talker")
        self._chance = chance

    async def _answer(self, messages: list[ModelMessage], info: AgentInfo) -> AsyncIterator[Any]:
        chance, tools = self._chance, [tool.name for tool in info.function_tools]
        for _ in range(chance.randrange(1, 12)):
            await asyncio.sleep(chance.uniform(0, 0.015))
            yield f"<{chance.randrange(10**6)} ünï> "
        if not tools or _has_results(messages):
            return
        for place in range(1, 1 + chance.choice([0, 0, 1, 1, 2])):
            name = chance.choices(tools, weights=[6 if it == "work" else 1 for it in tools])[0]
            arguments = json.dumps({"token": uuid4().hex})
            call_id = f"call_{uuid4().hex[:12]}"
            yield {place: DeltaToolCall(name=name, json_args=arguments, tool_call_id=call_id)}


def _has_results(messages: list[ModelMessage]) -> bool:
    last = messages[-1]
    return isinstance(last, ModelRequest) and any(
        isinstance(part, ToolReturnPart) for part in last.parts
    )


class Person:
    """Somebody in one process of the crowd, who asks, reads along, and decides."""

    def __init__(self, place: Place, db: Database, seed: int) -> None:
        self.db = db
        self.chance = random.Random(seed)
        self._shown, self._told = place.log("shown"), place.log("told")
        self._ran = place.log("ran")

    async def new_chat(self) -> Chat:
        return await create_chat(self.db, self._llm(), user_id=OWNER, **self._options())

    async def chat(self, chat_id: object) -> Chat:
        return await load_chat(self.db, self._llm(), str(chat_id), **self._options())

    def _llm(self) -> Talker:
        return Talker(self.chance)

    def _options(self) -> dict[str, Any]:
        return {
            "tools": [self._work, Tool(self._pay, name="pay", requires_approval=True)],
            "budgets": [Budget(tokens=PLENTY, by="user_id")],
            "compact": Compact(above=300, keep=2, llm=Talker(self.chance)),
            "titles": Talker(self.chance),
            "on_busy": "wait",
        }

    @property
    def _work(self) -> Tool[None]:
        async def work(token: str) -> str:
            """Do something that must not be done twice."""
            self._ran.write(f"{token}\n")
            await asyncio.sleep(self.chance.uniform(0, 0.04))
            return f"done {token}"

        return Tool(work, name="work")

    async def _pay(self, token: str) -> str:
        self._ran.write(f"{token}\n")
        return f"paid {token}"

    async def ask(self, chat: Chat, question: str) -> None:
        """Ask, now and then with a file, and read the answer."""
        files = []
        if self.chance.random() < 0.2:
            data = self.chance.choice([b"a file", question.encode()])
            files = [Attachment(data=data, media_type="text/plain")]
        await self.read(chat.stream(question, attachments=files))

    async def decide(self, chat: Chat) -> None:
        """Approve or deny what waits for it, and go on; or go on with what broke off."""
        for call in await chat.pending_approvals():
            if self.chance.random() < 0.5:
                await self.tried(chat.approve(call.call_id))
            else:
                await self.tried(chat.deny(call.call_id, reason="no"))
        await self.read(chat.resume())

    async def read(self, stream: ChatStream[Any]) -> None:
        """Read to the end, and write down what is shown."""
        await self.tried(self._read(stream))

    async def _read(self, stream: ChatStream[Any]) -> None:
        reader = uuid4().hex[:8]
        async for chunk in stream:
            if chunk.text or chunk.reasoning:
                line = json.dumps([reader, chunk.message_id.hex, chunk.text])
                self._shown.write(line + "\n")

    async def tried(self, work: Awaitable[Any]) -> None:
        """Do this. What the library says of it is written down: it may well fail."""
        try:
            await work
        except DatabaseFailed as error:
            if not error.may_pass:
                raise
            self._told.write("DatabaseFailed\n")
        except ChatRecordError as error:
            self._told.write(f"{type(error).__name__}\n")


def watch_for_the_unexpected(place: Place) -> None:
    """What no error of the library's own explains is written down, and fails the campaign."""
    wrong = place.log("wrong")

    def handle(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        if _CANCELLED_WHILE_CONNECTING in str(context.get("exception")):
            return
        wrong.write(f"{os.getpid()} {context.get('message')} {context.get('exception')!r}\n")

    asyncio.get_running_loop().set_exception_handler(handle)
