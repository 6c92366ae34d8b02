"""Ids of tool calls, as each provider takes them.

Rows keep the ids a provider gave. What is sent has ids that are valid and unique there: providers
refuse a history with an id that another one made (Kimi's `functions.weather:0` at Anthropic), or
with an id twice, as from models that number their calls again in each answer.
"""

from __future__ import annotations

import re
from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from itertools import count
from typing import Any, TypeVar

from pydantic_ai.messages import (
    ModelMessage,
    ModelRequest,
    ModelResponse,
    RetryPromptPart,
    SystemPromptPart,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)
from pydantic_ai.models import Model

from .provider import descends_from

Message = TypeVar("Message", ModelRequest, ModelResponse)
Result = TypeVar("Result", bound=ToolReturnPart | RetryPromptPart)


@dataclass(frozen=True, slots=True)
class Rule:
    """What the ids of a request have to be."""

    own: re.Pattern[str]
    """Ids that the provider made itself."""

    others: re.Pattern[str]
    """Ids that were made elsewhere."""

    longest: int

    def fitted(self, call_id: str, *, is_own: bool) -> str:
        """This id, or a valid one that is always the same for it."""
        if (self.own if is_own else self.others).fullmatch(call_id):
            return call_id
        digest = sha256(call_id.encode(errors="surrogatepass")).hexdigest()
        if self.longest < _ROOM_FOR_WORDS:
            return digest[: self.longest]
        words = re.sub(r"[^a-zA-Z0-9_-]", "_", call_id)[: self.longest - 9]
        return f"{words}_{digest[:8]}"

    def numbered(self, call_id: str, number: int) -> str:
        """Another valid id, for a call that is not the first with this one."""
        if self.longest < _ROOM_FOR_WORDS:
            return sha256(f"{call_id} {number}".encode()).hexdigest()[: self.longest]
        end = f"_{number}"
        return call_id[: self.longest - len(end)] + end


_ROOM_FOR_WORDS = 20
_PLAIN = re.compile(r"[a-zA-Z0-9_-]{1,40}")
"""Short enough for chat completions: OpenAI refuses 41 characters for some models."""

_ANY = Rule(re.compile(r"(?s:.*)"), re.compile(r"(?s:.*)"), 1_000)
"""Within the process: only unique."""

_CHAT = Rule(re.compile(r"(?s:.{1,40})"), _PLAIN, 40)
_RESPONSES = Rule(re.compile(r"[^|]{1,64}"), _PLAIN, 40)
"""Pydantic AI separates an id from that of its item by a bar, and sends the part before it."""

_ANTHROPIC = Rule(re.compile(r"[a-zA-Z0-9_-]{1,64}"), _PLAIN, 40)
_MISTRAL = Rule(re.compile(r"[a-zA-Z0-9]{9}"), re.compile(r"[a-zA-Z0-9]{9}"), 9)


def sendable_ids(messages: Sequence[ModelMessage], model: Model) -> list[ModelMessage]:
    """The messages with ids of tool calls that the model's provider takes."""
    return _renamed(messages, _Ids(_rule_of(model)), model.system)


def unique_ids(messages: Sequence[ModelMessage], *, is_going_on: bool) -> list[ModelMessage]:
    """The messages with each call's id once, so that each call is matched with its own result.

    If the run continues at the last answer, its calls keep their ids: results refer to them.
    """
    kept = _place_of_last_answer(messages) if is_going_on else len(messages)
    ids = _Ids(_ANY, taken={call.tool_call_id for call in _calls_in(messages[kept:])})
    return [*_renamed(messages[:kept], ids, None), *messages[kept:]]


def _place_of_last_answer(messages: Sequence[ModelMessage]) -> int:
    answers = (at for at, it in enumerate(messages) if isinstance(it, ModelResponse))
    return max(answers, default=len(messages))


def _calls_in(messages: Sequence[ModelMessage]) -> Iterator[ToolCallPart]:
    for message in messages:
        yield from (part for part in message.parts if isinstance(part, ToolCallPart))


def _rule_of(model: Model) -> Rule:
    if descends_from(model, "AnthropicModel", "BedrockConverseModel"):
        return _ANTHROPIC
    if descends_from(model, "MistralModel") or "mistral.ai" in (model.base_url or ""):
        return _MISTRAL
    return _RESPONSES if descends_from(model, "OpenAIResponsesModel") else _CHAT


def _renamed(
    messages: Sequence[ModelMessage], ids: _Ids, provider: str | None
) -> list[ModelMessage]:
    return [
        message
        if not _refers_to_calls(message)
        else ids.of_answer(message, is_own=message.provider_name == provider)
        if isinstance(message, ModelResponse)
        else ids.of_request(message)
        for message in messages
    ]


def _refers_to_calls(message: ModelMessage) -> bool:
    return any([type(part) not in _WITHOUT_IDS for part in message.parts])  # noqa: C419 - faster


_WITHOUT_IDS = frozenset({UserPromptPart, SystemPromptPart, TextPart, ThinkingPart})
"""The parts of most messages."""


@dataclass(slots=True)
class _Ids:
    """The ids of a history, read from its beginning."""

    rule: Rule
    taken: set[str] = field(default_factory=set)
    open: dict[str, deque[str]] = field(default_factory=lambda: defaultdict(deque))
    """What the calls that have no result yet are named, by the id they came with."""

    latest: dict[str, str] = field(default_factory=dict)

    def of_answer(self, answer: ModelResponse, *, is_own: bool) -> ModelResponse:
        new = [
            self._call(part, is_own=is_own) if isinstance(part, ToolCallPart) else part
            for part in answer.parts
        ]
        return _with(answer, new)

    def of_request(self, request: ModelRequest) -> ModelRequest:
        new = [
            self._result(part)
            if isinstance(part, ToolReturnPart)
            or (isinstance(part, RetryPromptPart) and part.tool_name is not None)
            else part
            for part in request.parts
        ]
        return _with(request, new)

    def _call(self, part: ToolCallPart, *, is_own: bool) -> ToolCallPart:
        given = part.tool_call_id
        named = fitted = self.rule.fitted(given, is_own=is_own)
        numbers = count(2)
        while named in self.taken:
            named = self.rule.numbered(fitted, next(numbers))
        self.taken.add(named)
        self.open[given].append(named)
        self.latest[given] = named
        return part if named == given else replace(part, tool_call_id=named)

    def _result(self, part: Result) -> Result:
        given = part.tool_call_id
        waiting = self.open.get(given)
        named = waiting.popleft() if waiting else self.latest.get(given, given)
        return part if named == given else replace(part, tool_call_id=named)


def _with(message: Message, parts: Sequence[Any]) -> Message:
    if all(new is old for new, old in zip(parts, message.parts, strict=True)):
        return message
    return replace(message, parts=parts)
