"""A history in the form that its next provider accepts, from any provider."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import replace

from pydantic_ai.messages import ModelMessage, ModelResponse, ThinkingPart
from pydantic_ai.models import Model

from .call_ids import sendable_ids
from .provider import descends_from, is_chat_completions

_REASONING_FIELDS = ("content", "reasoning", "reasoning_content")
"""Where servers of chat completions put reasoning: pydantic-ai names its part after the field."""


_REASONING_WITH_IDS = ("OpenRouterModel", "SnowflakeModel")
"""They send reasoning back in their own form, with its id and its signature."""


def sendable(messages: Sequence[ModelMessage], model: Model) -> list[ModelMessage]:
    """The messages with valid ids of tool calls, and without what only another API understands."""
    if is_chat_completions(model) and not descends_from(model, *_REASONING_WITH_IDS):
        fields = {*_REASONING_FIELDS, model.profile.get("openai_chat_thinking_field")}
        messages = [_without_item_ids(message, fields) for message in messages]
    return sendable_ids(messages, model)


def _without_item_ids(message: ModelMessage, fields: Container[object]) -> ModelMessage:
    """OpenAI's Responses name reasoning by an id, which chat completions would get as a field."""
    if not isinstance(message, ModelResponse):
        return message
    parts = [
        replace(part, id=None, signature=None)
        if isinstance(part, ThinkingPart) and part.id is not None and part.id not in fields
        else part
        for part in message.parts
    ]
    return replace(message, parts=parts)
