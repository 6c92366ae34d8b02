"""Text that some database would refuse or change, written so that every database keeps it.

PostgreSQL takes no NUL character and no driver takes a lone surrogate. Both are written as a
SUBSTITUTE character (U+001A) and four hexadecimal digits, and so is SUBSTITUTE itself; all other
text is stored as it is.
"""

from __future__ import annotations

import json
import re
from typing import TypeVar, cast

from chatrecord.errors import DatabaseFailed

SUBSTITUTE = "\x1a"

_UNSTORABLE = re.compile("[\x00\x1a\ud800-\udfff]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_ESCAPED = re.compile("\x1a([0-9a-f]{4})")

Value = TypeVar("Value")


def escape(text: str) -> str:
    """`text` as every database can hold it."""
    if text.isascii() and "\0" not in text and SUBSTITUTE not in text:
        return text
    return _UNSTORABLE.sub(lambda found: f"{SUBSTITUTE}{ord(found[0]):04x}", text)


def unescape(text: str) -> str:
    """What `escape` was given."""
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text) if SUBSTITUTE in text else text


def escape_json(value: Value) -> Value:
    """A JSON value with every string in it, keys included, escaped."""
    if isinstance(value, str):
        return cast(Value, escape(value))
    if isinstance(value, dict):
        return cast(Value, {escape(key): escape_json(item) for key, item in value.items()})
    if isinstance(value, list | tuple):
        return cast(Value, [escape_json(item) for item in value])
    return value


def must_be_escaped(text: str) -> bool:
    """Whether anything in a JSON text is for `escape_json`: a look instead of a walk."""
    if "\\u0000" in text or "\\u001a" in text:
        return True
    return not text.isascii() and _SURROGATE.search(text) is not None


def unescape_json(value: Value) -> Value:
    """What `escape_json` was given."""
    if isinstance(value, str):
        return cast(Value, unescape(value))
    if isinstance(value, dict):
        # Most of a message is null and numbers: a call for each would double the time.
        return cast(
            Value,
            {
                unescape(key): unescape_json(item) if type(item) in _HOLDS_TEXT else item
                for key, item in value.items()
            },
        )
    if isinstance(value, list):
        return cast(Value, [unescape_json(item) for item in value])
    return value


_HOLDS_TEXT = frozenset((str, dict, list))
"""What a JSON parser makes of anything with text in it."""


def loads(text: str) -> object:
    """The JSON value in `text`, unescaped."""
    value: object = json.loads(text)
    return unescape_json(value) if is_escaped(text) else value


def is_escaped(text: str) -> bool:
    """Whether a JSON text has anything escaped. JSON shows a SUBSTITUTE character by its number."""
    return "\\u001a" in text or SUBSTITUTE in text


def parsed(text: str) -> object:
    """A stored JSON value. Raises `DatabaseFailed` for what this library has not written."""
    try:
        return loads(text)
    except (ValueError, RecursionError) as error:
        msg = f"A stored JSON value was changed or cut off outside of chatrecord: {error}"
        raise DatabaseFailed(msg) from error
