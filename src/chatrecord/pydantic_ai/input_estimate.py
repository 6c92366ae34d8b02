"""About how many tokens a request is going to send."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic_ai.messages import BinaryContent, FileUrl, ModelMessage
from pydantic_ai.models import ModelRequestParameters

from chatrecord.store.token_estimates import CHARACTERS_PER_TOKEN, IMAGE_TOKENS, file_tokens


def estimated_input(messages: Sequence[ModelMessage], parameters: ModelRequestParameters) -> int:
    """The tokens of messages with their files, and of the tools that are offered."""
    said = sum(_characters(message) for message in messages)
    tools = [*parameters.function_tools, *parameters.output_tools]
    offered = sum(
        len(f"{tool.name}{tool.description or ''}{tool.parameters_json_schema}") for tool in tools
    )
    return (said + offered) // CHARACTERS_PER_TOKEN


def _characters(message: ModelMessage) -> int:
    instructions = getattr(message, "instructions", None) or ""
    return len(instructions) + sum(_length(part) for part in message.parts)


def _length(part: object) -> int:
    content = getattr(part, "content", None) or getattr(part, "args", None)
    items = content if isinstance(content, list | tuple) else [content]
    return sum(_length_of(item) for item in items)


def _length_of(item: object) -> int:
    if isinstance(item, BinaryContent):
        return file_tokens(item.media_type, len(item.data)) * CHARACTERS_PER_TOKEN
    if isinstance(item, FileUrl):
        return IMAGE_TOKENS * CHARACTERS_PER_TOKEN
    return len(item) if isinstance(item, str) else len(str(item or ""))
