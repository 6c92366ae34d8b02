"""What a scripted answer does, event by event."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeAlias

from pydantic_ai.messages import NativeToolCallPart, NativeToolReturnPart
from pydantic_ai.models.function import (
    BuiltinToolCallsReturns,
    DeltaThinkingCalls,
    DeltaThinkingPart,
    DeltaToolCall,
    DeltaToolCalls,
)

Delta: TypeAlias = str | DeltaToolCalls | DeltaThinkingCalls | BuiltinToolCallsReturns


Event: TypeAlias = Callable[[int], AsyncIterator[Delta]]
"""A callback while an answer streams; it gets its position among the parts."""


def say(*pieces: str, pause: float = 0.0) -> Event:
    """Stream these pieces of text, with `pause` seconds before each."""
    for piece in pieces:
        if not isinstance(piece, str):
            msg = f"say() takes pieces of text, not {piece!r}: say('a', 'b')"
            raise TypeError(msg)

    async def happen(_place: int) -> AsyncIterator[Delta]:
        for piece in pieces:
            await asyncio.sleep(pause)
            yield piece

    return happen


def think(*pieces: str, signature: str | None = None, pause: float = 0.0) -> Event:
    """Stream these pieces of reasoning, and its signature."""

    async def happen(place: int) -> AsyncIterator[Delta]:
        for piece in pieces:
            await asyncio.sleep(pause)
            yield {place: DeltaThinkingPart(content=piece)}
        if signature is not None:
            yield {place: DeltaThinkingPart(content="", signature=signature)}

    return happen


def call(
    name: str, call_id: str | None = None, /, *, arguments: str | None = None, **given: object
) -> Event:
    """Call a tool with these arguments, or with this text as its arguments, valid or not."""

    async def happen(place: int) -> AsyncIterator[Delta]:
        text = json.dumps(given) if arguments is None else arguments
        half = len(text) // 2
        yield {place: DeltaToolCall(name=name, json_args=text[:half], tool_call_id=call_id)}
        yield {place: DeltaToolCall(json_args=text[half:])}

    return happen


def fail(error: BaseException) -> Event:
    """Raise this in the middle of the stream."""

    async def happen(_place: int) -> AsyncIterator[Delta]:
        raise error
        yield  # makes this a generator

    return happen


def hand(part: NativeToolCallPart | NativeToolReturnPart) -> Event:
    """Stream a call of a tool that the provider runs itself, or its result."""

    async def happen(place: int) -> AsyncIterator[Delta]:
        yield {place: part}

    return happen


def meet(action: Callable[[], Awaitable[object]]) -> Event:
    """Await an action of the test, such as an event."""

    async def happen(_place: int) -> AsyncIterator[Delta]:
        await action()
        return
        yield  # makes this a generator

    return happen


def hang() -> Event:
    """Send nothing until cancelled."""
    return meet(asyncio.Event().wait)
