"""Puts a character together that a provider has cut in two.

JSON may write an emoji as two halves, and a provider that cuts its text anywhere sends them in two
pieces. Each half alone is no character.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from pydantic_ai.messages import (
    ModelResponse,
    ModelResponsePart,
    ModelResponseStreamEvent,
    TextPart,
    ThinkingPart,
    ToolCallPart,
)
from pydantic_ai.models import StreamedResponse

Handle = Callable[..., Iterable[ModelResponseStreamEvent]]

_FIRST_HALF = re.compile("[\ud800-\udbff]")

_HANDLERS = ("handle_text_delta", "handle_thinking_delta")


class SurrogatePairing:
    """Between a stream and what makes parts of its text and its reasoning."""

    def __init__(self, stream: StreamedResponse) -> None:
        manager = getattr(stream, "_parts_manager", None)
        self._held: dict[object, str] = {}
        self._last: dict[object, tuple[Handle, dict[str, Any]]] = {}
        for name in _HANDLERS:
            handle = getattr(manager, name, None)
            if handle is not None:
                vars(manager)[name] = self._paired(name, handle)

    def _paired(self, name: str, handle: Handle) -> Handle:
        def pair(*, content: str | None = None, **given: Any) -> Iterable[ModelResponseStreamEvent]:
            if content and (self._held or not content.isascii()):
                content = self._whole(name, handle, content, given)
            return handle(content=content, **given)

        return pair

    def _whole(self, name: str, handle: Handle, content: str, given: dict[str, Any]) -> str:
        """The content with the half that was held back before it, less a first half at its end."""
        part = (name, given["vendor_part_id"])
        content = paired(self._held.pop(part, "") + content)
        if _FIRST_HALF.match(content[-1]):
            content, self._held[part] = content[:-1], content[-1]
            self._last[part] = (handle, given)
        return content

    def rest(self) -> list[ModelResponseStreamEvent]:
        """The halves that are held back, once the stream has ended: their others never came."""
        held, self._held = self._held, {}
        events: list[ModelResponseStreamEvent] = []
        for part, half in held.items():
            handle, given = self._last[part]
            events += handle(content=half, **given)
        return events


def with_paired_characters(response: ModelResponse) -> ModelResponse:
    """The answer with the characters put together that a stream out of sight has left in two.

    Those are the characters in the arguments of calls, and all of an answer that pydantic-ai itself
    has streamed although it was asked for as a whole.
    """
    parts = [_with_paired_characters(part) for part in response.parts]
    if all(new is old for new, old in zip(parts, response.parts, strict=True)):
        return response
    return replace(response, parts=parts)


def _with_paired_characters(part: ModelResponsePart) -> ModelResponsePart:
    if isinstance(part, TextPart | ThinkingPart):
        whole = paired(part.content)
        return part if whole == part.content else replace(part, content=whole)
    if not isinstance(part, ToolCallPart) or not isinstance(part.args, str):
        return part
    whole = paired(part.args)
    return part if whole == part.args else replace(part, args=whole)


def paired(text: str) -> str:
    """The text with each pair of halves as the one character that it stands for."""
    if text.isascii() or _FIRST_HALF.search(text) is None:
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
