"""What a model says when it refuses to answer, which pydantic-ai keeps apart from the text."""

from __future__ import annotations

from dataclasses import replace

from pydantic_ai.messages import ModelResponse, TextPart


def refusal_of(response: ModelResponse) -> str | None:
    """The words of a refusal, if the provider sent any."""
    said = (response.provider_details or {}).get("refusal")
    return said if isinstance(said, str) and said else None


def with_refusal(response: ModelResponse) -> ModelResponse:
    """The answer with its refusal as its last text, apart from what was said before."""
    said = refusal_of(response)
    texts = [part.content for part in response.parts if isinstance(part, TextPart) and part.content]
    if said is None or (texts and texts[-1].endswith(said)):
        return response
    words = f"\n\n{said}" if texts else said
    return replace(response, parts=[*response.parts, TextPart(words)])
