"""A message as it was read, whose content stays text until it is asked for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, cast

from chatrecord.attachments.embedded_files import put_back, referred_to
from chatrecord.records import Json, Message
from chatrecord.text.storable import is_escaped, parsed


@dataclass(slots=True)
class Known:
    """What was found out about a message that stays in memory, for its next turn."""

    characters: int | None = None
    most_characters: int | None = None
    words: dict[str, bool] = field(default_factory=dict)
    files: frozenset[str] | None = None
    """The hashes of its files."""

    loaded: object = None
    """What the LLM adapter has made of its content. The adapter hands out copies only."""


class StoredMessage(Message):
    """A `Message` that parses its `content` when it is asked for.

    A turn validates hundreds of contents, and most of them without ever looking into one: `json` is
    the stored text. One that stays in memory (it has a `known`) parses its content each time, so
    that nobody changes what the next turn gets.
    """

    # The slot of `content` stays empty at first: Python then asks `__getattr__`.
    __slots__ = ("files", "json", "known")
    json: str | None
    known: Known | None
    files: Mapping[str, bytes] | None
    """By their hashes: what is in `content` in the place of its references."""

    def __init__(self, *values: Any, **fields: Any) -> None:
        super().__init__(*values, **fields)  # a changed copy
        for name in StoredMessage.__slots__:
            object.__setattr__(self, name, None)

    @classmethod
    def read(
        cls, values: Iterable[object], json: str | None, known: Known | None = None
    ) -> StoredMessage:
        """A message of the values of its `READ_FIELDS`, and the text of its content."""
        message = object.__new__(cls)
        for put, value in zip(_PUT, values, strict=True):
            put(message, value)
        object.__setattr__(message, "json", json)
        object.__setattr__(message, "known", known)
        object.__setattr__(message, "files", None)
        return message

    def with_files(self, files: Mapping[str, bytes]) -> StoredMessage:
        """The same message with these files in its content, by their hashes."""
        message = self.read((getattr(self, name) for name in READ_FIELDS), self.json, self.known)
        object.__setattr__(message, "files", files)
        return message

    def __getattr__(self, name: str) -> Json:
        if name != "content":
            raise AttributeError(name)
        content = None if self.json is None else cast(Json, parsed(self.json))
        if self.files is not None:
            content = put_back(content, self.files)
        if self.known is None:
            object.__setattr__(self, "content", content)
        return content


READ_FIELDS = tuple(field.name for field in fields(Message) if field.name != "content")
_PUT = [getattr(Message, name).__set__ for name in READ_FIELDS]
"""Of the slots: a frozen class is otherwise filled by a search for each of its names."""


def plain_json_of(message: Message) -> str | None:
    """The content as JSON text, if nothing in it is escaped."""
    json = message.json if isinstance(message, StoredMessage) else None
    return None if json is None or is_escaped(json) else json


def may_hold(message: Message, word: str) -> bool:
    """Whether this word may be in the content: one look at the text instead of a walk."""
    if not isinstance(message, StoredMessage) or message.json is None:
        return True
    if message.known is None:
        return word in message.json
    if word not in message.known.words:
        message.known.words[word] = word in message.json
    return message.known.words[word]


def files_in(message: Message) -> frozenset[str]:
    """The hashes of the files that its content refers to, as it is stored."""
    if not isinstance(message, StoredMessage) or message.json is None:
        return frozenset(referred_to(message.content))
    known = message.known
    if known is not None and known.files is not None:
        return known.files
    found = frozenset(referred_to(cast(Json, parsed(message.json))))
    if known is not None:
        known.files = found
    return found


def known_of(message: Message) -> Known | None:
    """What is remembered of a message that stays in memory; `None` of all others."""
    return message.known if isinstance(message, StoredMessage) else None
