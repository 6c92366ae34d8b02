"""A history in the form that its next provider accepts, from any provider."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import replace
from urllib.parse import urlsplit

from pydantic_ai.messages import ModelMessage, ModelResponse, ThinkingPart
from pydantic_ai.models import Model

from .call_ids import sendable_ids
from .provider import descends_from, is_chat_completions

_IN_TEXT = "content"
_REASONING_FIELDS = (_IN_TEXT, "reasoning", "reasoning_content")
"""Where servers of chat completions put reasoning: pydantic-ai names its part after the field."""

_REASONING_WITH_IDS = ("OpenRouterModel", "SnowflakeModel")
"""They send reasoning back in their own form, with its id and its signature."""


def sendable(messages: Sequence[ModelMessage], model: Model) -> list[ModelMessage]:
    """The messages with valid ids of tool calls, and without what only another API understands."""
    if is_chat_completions(model) and not descends_from(model, *_REASONING_WITH_IDS):
        fields = {*_REASONING_FIELDS, model.profile.get("openai_chat_thinking_field")}
        messages = [_without_fields(message, model, fields) for message in messages]
    return sendable_ids(messages, model)


def _without_fields(message: ModelMessage, model: Model, fields: Container[object]) -> ModelMessage:
    """The message without reasoning that would be sent as a field which the server does not know.

    OpenAI's Responses name reasoning by an id, which chat completions would get as a field. Servers
    that are asked with OpenAI's client have fields of their own.
    """
    if not isinstance(message, ModelResponse):
        return message
    if not _is_from(message, model):
        fields = (_IN_TEXT,)
    parts = [
        replace(part, id=None, signature=None)
        if isinstance(part, ThinkingPart) and part.id is not None and part.id not in fields
        else part
        for part in message.parts
    ]
    return replace(message, parts=parts)


def _is_from(message: ModelResponse, model: Model) -> bool:
    """Whether the same server has sent it, as far as is known."""
    sent_from, sent_to = message.provider_url, model.base_url
    return None in (sent_from, sent_to) or urlsplit(sent_from).netloc == urlsplit(sent_to).netloc
