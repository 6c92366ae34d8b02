"""What tools return, as the row of a call keeps it: bytes are said to be bytes.

JSON has none. In the raw result they are `{"type": "bytes", "base64": "..."}`; as mere base64 they
would look like any text.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

from chatrecord.records import Json

_BYTES = (bytes, bytearray, memoryview)


def said(value: object) -> Any:
    """A result with the bytes in it said to be bytes; one that has none is the same."""
    try:
        return _said(value)
    except RecursionError:  # it holds itself
        return value


def returned(result: Json) -> Any:
    """What a tool has returned, by its raw result: the bytes in it are bytes again."""
    if isinstance(result, dict):
        found = _bytes_in(result)
        return _each(result, returned) if found is None else found
    return _each(result, returned)


def _said(value: object) -> Any:
    if isinstance(value, _BYTES):
        return {"type": "bytes", "base64": b64encode(value).decode("ascii")}
    if is_dataclass(value) and not isinstance(value, type) and _is_plain(value):
        inside = {field.name: getattr(value, field.name) for field in fields(value)}
        changed = _each(inside, _said)
        return value if changed is inside else changed
    return _each(value, _said)


def _each(value: object, change: Callable[[Any], Any]) -> Any:
    """A container with changed items, or the container itself if nothing changed."""
    if isinstance(value, dict):
        changed = {key: change(item) for key, item in value.items()}
        return changed if _differ(changed.values(), value.values()) else value
    if isinstance(value, list | tuple | set | frozenset):
        items: Sequence[object] = list(value)
        new = [change(item) for item in items]
        return new if _differ(new, items) else value
    return value


def _differ(new: Any, old: Any) -> bool:
    return any(one is not other for one, other in zip(new, old, strict=True))


def _is_plain(value: object) -> bool:
    """Whether it is none of pydantic's, such as a file, which says itself how it is dumped."""
    return not hasattr(value, "__pydantic_serializer__")


def _bytes_in(value: dict[str, Json]) -> bytes | None:
    digits = value.get("base64")
    is_said = set(value) == {"type", "base64"} and value["type"] == "bytes"
    if not is_said or not isinstance(digits, str):
        return None
    try:
        return b64decode(digits, validate=True)
    except ValueError:  # a hook has changed it
        return None
