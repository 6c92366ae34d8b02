"""Messages that stay in memory, of which each turn gets a copy of its own."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any

from pydantic_ai.messages import (
    ModelMessage,
    SystemPromptPart,
    TextPart,
    ThinkingPart,
    UserPromptPart,
)

_UNCHANGEABLE = frozenset({type(None), str, int, float, bool, bytes, datetime, Decimal})
_ALONE = frozenset({SystemPromptPart, UserPromptPart, TextPart, ThinkingPart})
"""Parts that refer to no other part."""

_new = object.__new__


class Pristine:
    """A message that nobody else has: agents, hooks and models may change what they are given.

    A copy takes a tenth of the time of validating a message, because what of it can change is
    looked for once. `deepcopy` takes longer than validating.
    """

    __slots__ = (
        "_changeable",
        "_fields",
        "_flat_parts",
        "_kind",
        "_parts",
        "is_alone",
        "is_request",
    )

    def __init__(self, message: ModelMessage) -> None:
        self._kind = type(message)
        self._fields = dict(vars(message))
        parts = self._fields.pop("parts")
        self._flat_parts = [(type(part), vars(part)) for part in parts if _is_flat(part)]
        self._parts = None if len(self._flat_parts) == len(parts) else _copier(parts)
        self._changeable = _changeable(self._fields)
        self.is_request = message.kind == "request"
        self.is_alone = is_alone(message)

    def copy(self) -> ModelMessage:
        """The message, to be changed at will."""
        message: Any = _new(self._kind)
        message.__dict__ = fields = self._fields.copy()
        if self._parts is not None:
            fields["parts"] = self._parts()
        else:
            fields["parts"] = parts = []
            for kind, said in self._flat_parts:
                part: Any = _new(kind)
                part.__dict__.update(said)
                parts.append(part)
        for name, copy in self._changeable:
            fields[name] = copy()
        copied: ModelMessage = message
        return copied


def is_alone(message: ModelMessage) -> bool:
    """Whether it can stand as it is in any history, between two of the other kind."""
    parts = message.parts
    return message.state == "complete" and bool(parts) and _ALONE.issuperset(map(type, parts))


def _is_flat(value: Any) -> bool:
    """Whether its fields are all that can change of it."""
    return _has_fields(value) and all(type(it) in _UNCHANGEABLE for it in vars(value).values())


def _has_fields(value: Any) -> bool:
    kind = type(value)
    return kind.__module__.startswith("pydantic_ai.") and hasattr(value, "__dict__")


def _changeable(fields: dict[str, Any]) -> list[tuple[str, Callable[[], Any]]]:
    return [
        (name, _copier(value)) for name, value in fields.items() if type(value) not in _UNCHANGEABLE
    ]


def _copier(value: Any) -> Callable[[], Any]:
    """What makes a copy of a value that can change."""
    if type(value) in (list, dict) and _holds_no_objects(value):
        return value.copy  # type: ignore[no-any-return]
    if type(value) is list:
        return _list_copier(value)
    return _object_copier(value) if _has_fields(value) else partial(deepcopy, value)


def _holds_no_objects(value: list[Any] | dict[Any, Any]) -> bool:
    held = value.values() if isinstance(value, dict) else value
    return all(type(item) in _UNCHANGEABLE for item in held)


def _list_copier(items: list[Any]) -> Callable[[], list[Any]]:
    copiers = [None if type(item) in _UNCHANGEABLE else _copier(item) for item in items]

    def copied() -> list[Any]:
        pairs = zip(items, copiers, strict=True)
        return [item if copy is None else copy() for item, copy in pairs]

    return copied


def _object_copier(value: Any) -> Callable[[], Any]:
    kind, fields = type(value), dict(vars(value))
    changeable = _changeable(fields)

    def copied() -> Any:
        new: Any = _new(kind)
        copies = new.__dict__
        copies.update(fields)
        for name, copy in changeable:
            copies[name] = copy()
        return new

    return copied
