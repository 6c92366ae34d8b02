"""About how many tokens a message is when it is sent."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from chatrecord.records import Json, Message

from .stored_message import known_of, plain_json_of

CHARACTERS_PER_TOKEN = 4
"""A common rule of thumb for English text (OpenAI's tokenizer guide); other scripts need more."""

IMAGE_TOKENS = 1_500
"""About what the largest image takes: 1,568 of Anthropic's, 1,105 of GPT-4o in high detail."""

_BYTES_PER_TOKEN = {"text/": 4, "application/json": 4, "application/xml": 4}
_BYTES_PER_TOKEN_OF_MEDIA = 500
"""Compressed sound takes about 32 tokens a second at 16 kB/s, a page of a PDF some 2,000."""

_SENT = frozenset({"text", "content", "args", "instructions", "summary"})
"""The fields of Pydantic AI messages that are sent; the others are dates, ids and usage."""

Estimator: TypeAlias = Callable[[Message], int]
"""A message's tokens, as an application counts them."""


def estimate_tokens(messages: Sequence[Message], estimator: Estimator | None = None) -> int:
    """About how many tokens these messages are: texts, reasoning, arguments, results and files."""
    characters = sum(characters_of(message, estimator) for message in messages)
    return characters // CHARACTERS_PER_TOKEN


def characters_of(message: Message, estimator: Estimator | None = None) -> int:
    """The estimated characters of a message: four for each token that an estimator counts."""
    if estimator is not None:
        return estimator(message) * CHARACTERS_PER_TOKEN
    known = known_of(message)
    if known is not None and known.characters is not None:
        return known.characters
    said = len(message.text) + len(message.reasoning or "")
    characters = max(said, _characters_in(message.content, is_sent=False))
    if known is not None:
        known.characters = characters
    return characters


def most_characters_of(message: Message) -> int | None:
    """A number that `characters_of` does not exceed, where no walk is needed to tell one."""
    known = known_of(message)
    if known is not None and known.most_characters is not None:
        return known.most_characters
    if known is not None and known.characters is not None:
        return known.characters
    json = plain_json_of(message)
    if json is None or '"binary"' in json:
        return None
    most = max(len(json), len(message.text) + len(message.reasoning or ""))
    if known is not None:
        known.most_characters = most
    return most


def file_tokens(media_type: str, size: int) -> int:
    """The estimated tokens of a file of this size."""
    if media_type.startswith("image/"):
        return IMAGE_TOKENS
    kinds = (each for kind, each in _BYTES_PER_TOKEN.items() if media_type.startswith(kind))
    return size // next(kinds, _BYTES_PER_TOKEN_OF_MEDIA)


def _characters_in(value: Json, *, is_sent: bool) -> int:
    if isinstance(value, str):
        return len(value) if is_sent else 0
    if isinstance(value, dict):
        if value.get("kind") == "binary":
            return _characters_of_file(value)
        return sum(
            _characters_in(each, is_sent=is_sent or name in _SENT) for name, each in value.items()
        )
    if isinstance(value, list):
        return sum(_characters_in(each, is_sent=is_sent) for each in value)
    return len(str(value)) if is_sent else 0


def _characters_of_file(file: dict[str, Json]) -> int:
    data = file.get("data")
    if isinstance(data, str):  # base64
        size = len(data) * 3 // 4
    else:
        reported = data.get("size") if isinstance(data, dict) else None
        size = reported if isinstance(reported, int) else 0
    return file_tokens(str(file.get("media_type")), size) * CHARACTERS_PER_TOKEN
