"""A scripted LLM for tests."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import TypeAlias

from pydantic_ai.messages import ModelMessage
from pydantic_ai.models.function import (
    AgentInfo,
    DeltaThinkingCalls,
    DeltaThinkingPart,
    DeltaToolCall,
    DeltaToolCalls,
    FunctionModel,
)

Delta: TypeAlias = str | DeltaToolCalls | DeltaThinkingCalls


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


class Script(FunctionModel):
    """A Pydantic AI model that streams one scripted answer for each request, in order.

        llm = Script([call("add", a=1, b=2)], [say("It is ", "three.")])

    `requests` has the messages of each request. A request beyond the end of the script fails the
    test.
    """

    def __init__(self, *answers: Sequence[Event]) -> None:
        super().__init__(stream_function=self._answer, model_name="script")
        self._answers = _checked(answers)
        self.requests: list[list[ModelMessage]] = []
        self.tools_offered: list[list[str]] = []

    def then(self, *answers: Sequence[Event]) -> None:
        """Append these answers."""
        self._answers.extend(_checked(answers))

    async def _answer(self, messages: list[ModelMessage], info: AgentInfo) -> AsyncIterator[Delta]:
        self.requests.append(list(messages))
        self.tools_offered.append([tool.name for tool in info.function_tools])
        if not self._answers:
            msg = f"The script has no answer for request {len(self.requests)}"
            raise AssertionError(msg)
        for place, event in enumerate(self._answers.pop(0)):
            async for delta in event(place):
                yield delta


def _checked(answers: Sequence[Sequence[Event]]) -> list[Sequence[Event]]:
    for answer in answers:
        is_list = isinstance(answer, list | tuple)
        if not is_list or not answer or not all(callable(event) for event in answer):
            msg = f"An answer of a Script is a list of events, such as [say('Hi')], not {answer!r}"
            raise TypeError(msg)
    return list(answers)
