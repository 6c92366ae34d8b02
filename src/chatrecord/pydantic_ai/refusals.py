"""What a model says when it refuses to answer, which pydantic-ai keeps apart from the text."""

from __future__ import annotations

from dataclasses import replace

from pydantic_ai.messages import ModelResponse, TextPart


def refusal_of(response: ModelResponse) -> str | None:
    """The words of a refusal, if the provider sent any."""
    said = (response.provider_details or {}).get("refusal")
    return said if isinstance(said, str) and said else None


def with_refusal(response: ModelResponse) -> ModelResponse:
    """The answer with its refusal as its text, unless it has a text."""
    said = refusal_of(response)
    has_text = any(isinstance(part, TextPart) and part.content for part in response.parts)
    if said is None or has_text:
        return response
    return replace(response, parts=[*response.parts, TextPart(said)])
