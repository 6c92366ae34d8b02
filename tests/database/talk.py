"""Conversations that go on while something happens to their database."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from chatrecord import Chat, Chunk
from chatrecord.sqlalchemy import Database, create_chat
from chatrecord.testing import Script, call, say


def add(a: int, b: int) -> int:
    return a + b


@dataclass
class Talk:
    """One answer with a tool in it, and what its reader has got of it."""

    pieces: list[str]
    pause: float
    delivered: list[Chunk] = field(default_factory=list)
    chat: Chat | None = None
    begun: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def whole(self) -> str:
        """What the LLM says, from its first to its last word."""
        return "I add. " + "".join(self.pieces)

    @property
    def shown(self) -> str:
        """What the reader has seen."""
        return "".join(chunk.text for chunk in self.delivered)

    async def prepare(self, db: Database) -> None:
        """The chat it is held in."""
        script = Script(
            [say("I add. "), call("add", a=1, b=2)], [say(*self.pieces, pause=self.pause)]
        )
        self.chat = await create_chat(db, script, tools=[add])

    async def hold(self, db: Database) -> str:
        """Have it, to its end; what was shown of it."""
        if self.chat is None:
            await self.prepare(db)
        assert self.chat is not None
        async for chunk in self.chat.stream("Go"):
            self.delivered.append(chunk)
            self.begun.set()
        return self.shown

    async def stored(self) -> str:
        """What is in the database of all that was said."""
        assert self.chat is not None
        answers = [m for m in await self.chat.messages(100) if m.role == "assistant"]
        return "".join(message.text for message in answers)

    async def is_idle(self) -> bool:
        """Whether nobody answers any more, be it because the lease of the dead is over."""
        assert self.chat is not None
        return await self.chat.active_run() is None

    async def statuses(self) -> set[str]:
        assert self.chat is not None
        return {message.status for message in await self.chat.messages(100)}


def talks(count: int, *, pieces: int, pause: float) -> list[Talk]:
    """So many of them, each with words of its own."""
    return [
        Talk([f"<{number}.{n} ünï🙂>" for n in range(pieces)], pause) for number in range(count)
    ]
