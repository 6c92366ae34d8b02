"""The bytes of files in messages: left out where a message is validated or made into JSON.

As JSON a file is base64, which takes a third more memory than its bytes and is decoded by the
validation. A short stand-in takes its place there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from copy import copy
from dataclasses import replace
from secrets import token_bytes
from typing import Any

from pydantic_ai.messages import BinaryContent, ModelMessage, ModelRequest, ModelResponse

from chatrecord.attachments.embedded_files import EncodedFile, encoded

_SECRET = token_bytes(16)
"""Nobody can write a text that is taken for a stand-in."""


def stand_ins(hashes: Iterable[str]) -> dict[str, bytes]:
    """What stands for each of these files, by their hashes."""
    return {each: _SECRET + bytes.fromhex(each) for each in hashes}


def fill(message: ModelMessage, files: Mapping[str, bytes]) -> ModelMessage:
    """Put the bytes of these files into a message that has their stand-ins."""
    by_stand_in = {stand_in: files[each] for each, stand_in in stand_ins(files).items()}
    _filled(message, by_stand_in, {encoded(it): data for it, data in by_stand_in.items()})
    return message


def dumped(message: ModelMessage, dump: Callable[[ModelMessage], Any]) -> Any:
    """The JSON value of a message, each file in it encoded once, however often it is dumped."""
    left_out = dict[bytes, bytes]()
    without = _without_bytes(message, left_out)
    value = dump(without)
    if not left_out:
        return value
    return _filled(value, {}, {encoded(it): data for it, data in left_out.items()})


def _without_bytes(value: Any, left_out: dict[bytes, bytes]) -> Any:
    """A copy with a stand-in for each file; the value itself if there is none."""
    if isinstance(value, BinaryContent):
        stand_in = _SECRET + len(left_out).to_bytes(4)
        left_out[stand_in] = value.data
        copied = copy(value)
        copied.data, copied._identifier = stand_in, value.identifier
        return copied
    if isinstance(value, list | tuple):
        items = [_without_bytes(item, left_out) for item in value]
        return items if _differ(items, value) else value
    if isinstance(value, dict):
        inside = {key: _without_bytes(item, left_out) for key, item in value.items()}
        return inside if _differ(inside.values(), value.values()) else value
    if isinstance(value, ModelRequest | ModelResponse):
        return _with(value, "parts", left_out)
    content = getattr(value, "content", None) if hasattr(value, "part_kind") else None
    may_hold = content is not None and not isinstance(content, str)
    return _with(value, "content", left_out) if may_hold else value


def _with(value: Any, name: str, left_out: dict[bytes, bytes]) -> Any:
    held = getattr(value, name)
    without = _without_bytes(held, left_out)
    return value if without is held else replace(value, **{name: without})


def _differ(new: Iterable[object], old: Iterable[object]) -> bool:
    return any(one is not other for one, other in zip(new, old, strict=True))


def _filled(value: Any, data: Mapping[bytes, bytes], by_text: Mapping[str, bytes]) -> Any:
    """The value itself, changed inside, or the text of a file for that of its stand-in."""
    if isinstance(value, str):
        return EncodedFile.of(by_text[value]) if value in by_text else value
    if isinstance(value, BinaryContent):
        value.data = data.get(value.data, value.data)
    elif isinstance(value, list):
        value[:] = [_filled(item, data, by_text) for item in value]
    elif isinstance(value, dict):
        value.update({key: _filled(item, data, by_text) for key, item in value.items()})
    elif hasattr(value, "__dict__"):
        for name, item in vars(value).items():
            vars(value)[name] = _filled(item, data, by_text)
    return value
