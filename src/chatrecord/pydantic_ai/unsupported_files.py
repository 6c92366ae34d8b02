"""Files of earlier messages that a provider does not accept, such as sound: replaced by a text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeGuard, cast

from pydantic_ai.messages import BinaryContent, FileUrl, ModelMessage, UserPromptPart

from chatrecord.text.redaction import text_of

_WIDELY_TAKEN = ("image/", "text/", "application/pdf")


def is_unsupported(error: Exception) -> bool:
    """Whether this is how pydantic-ai refuses a file before anything is sent."""
    if isinstance(error, NotImplementedError):
        return True
    return isinstance(error, RuntimeError) and text_of(error).startswith("Unsupported")


def without_unsupported(messages: Sequence[ModelMessage]) -> list[ModelMessage] | None:
    """The messages with words in the place of such files, but for those of the last question.

    `None` where there are no such files.
    """
    replaced: list[ModelMessage] = []
    is_earlier = False
    for message in reversed(messages):
        parts: list[object] = []
        for part in reversed(message.parts):
            parts.append(_without_files(part) if is_earlier else part)
            is_earlier = is_earlier or isinstance(part, UserPromptPart)
        replaced.append(_with_parts(message, parts[::-1]))
    changed = any(new is not old for new, old in zip(reversed(replaced), messages, strict=True))
    return replaced[::-1] if changed else None


def _with_parts(message: Any, parts: list[object]) -> ModelMessage:
    is_same = all(new is old for new, old in zip(parts, message.parts, strict=True))
    return cast(ModelMessage, message if is_same else replace(message, parts=parts))


def _without_files(part: Any) -> Any:
    """A part of an earlier message; whatever a tool returned alone is left to the provider."""
    content = getattr(part, "content", None)
    if not isinstance(content, list | tuple) or not any(map(_is_unsupported, content)):
        return part
    replaced = [_in_words(item) if _is_unsupported(item) else item for item in content]
    return replace(part, content=replaced)


def _is_unsupported(item: object) -> TypeGuard[BinaryContent | FileUrl]:
    if not isinstance(item, BinaryContent | FileUrl):
        return False
    return not item.media_type.startswith(_WIDELY_TAKEN)


def _in_words(file: BinaryContent | FileUrl) -> str:
    return f"[The file {file.identifier} ({file.media_type}), which you cannot take]"
