"""What several of the promises need: awkward text, and tools to call."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

from chatrecord.chats.chat import Chat
from chatrecord.chats.stream import ChatStream
from chatrecord.records import Chunk

UNKNOWN_ID = "01890000-0000-7000-8000-000000000000"
AWKWARD = (
    "NUL \x00, SUB \x1a, \x1a0000, lone \ud800 and \udfff, astronaut \U0001f9d1\u200d\U0001f680, "
    "script \U0001d4b3, right-to-left \u202e, \ufffe, 'quotes\" \\ and \r\n\t"
)
"""Text that databases and drivers are known to refuse or to change."""


PARSABLE = AWKWARD.replace("\ud800", "").replace("\udfff", "")
"""The same without lone surrogates, which a JSON parser refuses in the arguments of a tool."""


def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


class Odd(BaseException):
    """Neither an error nor a cancellation."""


def paying(paid: list[int]) -> Callable[[int], str]:
    def pay(n: int) -> str:
        """Pay so much."""
        paid.append(n)
        return f"paid {n}"

    return pay


async def begun(stream: ChatStream[Any]) -> AsyncIterator[Chunk]:
    """The first chunk of a stream, whose reader then leaves."""
    async for chunk in stream:
        yield chunk
        return


async def read(stream: ChatStream[Any]) -> list[Chunk]:
    return [chunk async for chunk in stream]


def kinds_of(chunks: Sequence[Chunk]) -> list[str]:
    """The kinds of the chunks, but for arguments that were still arriving."""
    return [chunk.kind for chunk in chunks if chunk.kind != "tool_input"]


async def has_result(chat: Chat) -> bool:
    return any(row.status == "complete" for row in await chat.tool_calls())
