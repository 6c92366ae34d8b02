"""Usage that servers of chat completions report in a choice instead of in the chunk (Moonshot)."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator
from typing import Any

from pydantic_ai.models import StreamedResponse

from .provider import descends_from


def count_usage_of_choices(stream: StreamedResponse) -> None:
    """Let a stream of chat completions count it."""
    validated = getattr(stream, "_validate_response", None)
    if validated is not None and descends_from(stream, "OpenAIStreamedResponse"):
        vars(stream)["_validate_response"] = lambda: _Chunks(validated())


class _Chunks:
    """The chunks, with their usage in its place. No generator, which a loop would have to close."""

    def __init__(self, chunks: AsyncIterable[Any]) -> None:
        self._chunks = aiter(chunks)

    def __aiter__(self) -> AsyncIterator[Any]:
        return self

    async def __anext__(self) -> Any:
        chunk = await anext(self._chunks)
        if chunk.usage is None and chunk.choices:
            reported = (chunk.choices[0].model_extra or {}).get("usage")
            if isinstance(reported, dict):
                chunk.usage = type(chunk).construct(usage=reported).usage
        return chunk
