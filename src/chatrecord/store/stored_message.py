"""A message as it was read, whose content stays text until it is asked for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from typing import cast

from chatrecord.records import Json, Message
from chatrecord.text.storable import is_escaped, parsed


class StoredMessage(Message):
    """A `Message` that parses its `content` when it is first asked for.

    A turn validates hundreds of contents, and most of them without ever looking into one: `json` is
    the stored text.
    """

    # The slot of `content` stays empty at first: Python then asks `__getattr__`.
    __slots__ = ("json",)
    json: str | None

    @classmethod
    def read(cls, values: Iterable[object], json: str | None) -> StoredMessage:
        """A message of the values of its `READ_FIELDS`, and the text of its content."""
        message = object.__new__(cls)
        for put, value in zip(_PUT, values, strict=True):
            put(message, value)
        object.__setattr__(message, "json", json)
        return message

    def __getattr__(self, name: str) -> Json:
        if name != "content":
            raise AttributeError(name)
        content = None if self.json is None else cast(Json, parsed(self.json))
        object.__setattr__(self, "content", content)
        return content


READ_FIELDS = tuple(field.name for field in fields(Message) if field.name != "content")
_PUT = [getattr(Message, name).__set__ for name in READ_FIELDS]
"""Of the slots: a frozen class is otherwise filled by a search for each of its names."""


def plain_json_of(message: Message) -> str | None:
    """The content as JSON text, if nothing in it is escaped."""
    json = _json_of(message)
    return None if json is None or is_escaped(json) else json


def may_hold(message: Message, word: str) -> bool:
    """Whether this word may be in the content: one look at the text instead of a walk."""
    json = _json_of(message)
    return json is None or word in json


def _json_of(message: Message) -> str | None:
    """What was read; a changed copy has none."""
    return getattr(message, "json", None) if isinstance(message, StoredMessage) else None
