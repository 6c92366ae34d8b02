"""Side requests: questions about a chat by a separate agent without tools."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

from pydantic_ai import Agent, UsageLimits
from pydantic_ai.messages import (
    SystemPromptPart,
    TextPart,
    ToolCallPart,
    UserPromptPart,
)
from pydantic_ai.models import Model
from pydantic_ai.settings import ModelSettings

from chatrecord.attachments.embedded_files import in_words
from chatrecord.llm.port import SideRequest
from chatrecord.records import Message

from .capability import RequestRecording
from .messages import json_of, message_of, texts_in
from .provider import models_in

THINKING_TAGS = ("<think>", "</think>")
"""What most models that reason in their text put around it."""

_NOT_FOR_SIDE_REQUESTS = ("tool_choice", "parallel_tool_calls", "stop_sequences", "max_tokens")
"""Settings that are meant for the chat's own answers, and may be refused without tools."""


async def side_answer(
    model: Model,
    side_request: SideRequest,
    settings: ModelSettings | None,
    recording: RequestRecording,
) -> str:
    """The text of the answer."""
    agent = Agent(model, instructions=side_request.instructions)
    shown = transcript(side_request.messages, side_request.characters)
    result = await agent.run(
        f"<conversation>\n{shown}\n</conversation>",
        model_settings=settings,
        usage_limits=UsageLimits(request_limit=None),
        capabilities=[recording],
        infer_name=False,
    )
    text = result.output
    for asked in models_in(model):
        text = without_reasoning(text, asked.profile.get("thinking_tags", THINKING_TAGS))
    return text


def without_reasoning(text: str, tags: tuple[str, str]) -> str:
    """The text behind reasoning in tags, which pydantic-ai parts only where a tag is a chunk.

    A model whose chat template opens the reasoning tells its end alone.
    """
    opening, closing = tags
    _, is_closed, answer = text.rpartition(closing)
    if is_closed:
        return answer.strip()
    return text.partition(opening)[0].strip() if opening in text else text


def side_settings(agent: Agent[Any, Any], settings: ModelSettings | None) -> ModelSettings | None:
    """What the chat's own requests are sent with, but for what belongs to its answers."""
    of_agent = agent.model_settings if isinstance(agent.model_settings, Mapping) else {}
    kept = {
        name: value
        for name, value in {**of_agent, **(settings or {})}.items()
        if name not in _NOT_FOR_SIDE_REQUESTS
    }
    return cast(ModelSettings, kept) or None


def transcript(records: Sequence[Message], characters: int) -> str:
    """Messages as text: texts with their roles, tool calls with arguments and results."""
    lines = (line for record in records for line in _lines(record))
    return "\n\n".join(_cut(line, characters) for line in lines)


def _lines(record: Message) -> Iterator[str]:
    if record.role == "summary":
        yield f"Summary of what came before: {record.text}"
        return
    message = message_of(replace(record, content=in_words(record.content)))
    for part in message.parts if message is not None else ():
        said = _said(part)
        if said:
            yield said


def _said(part: object) -> str | None:
    match part:
        case UserPromptPart():
            return f"User: {' '.join(texts_in(part.content)) or '(a file)'}"
        case SystemPromptPart():
            return f"System: {part.content}"
        case TextPart():
            return f"Assistant: {part.content}" if part.content else None
        case ToolCallPart():
            return f"Assistant calls {part.tool_name}({_json(part.args)})"
        case _ if hasattr(part, "tool_call_id") and hasattr(part, "content"):
            return f"Result of {getattr(part, 'tool_name', None)}: {_json(part.content)}"
    return None


def _json(value: object) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(json_of(value), ensure_ascii=False)


def _cut(line: str, characters: int) -> str:
    return line if len(line) <= characters else f"{line[:characters]} [...]"
