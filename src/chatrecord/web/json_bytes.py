"""JSON as bytes: in server-sent events, and as a response."""

from __future__ import annotations

import json
import math
import re
from json.encoder import encode_basestring
from typing import Any

from starlette.responses import Response

HEARTBEAT = b": \n\n"
"""A comment: no client sees it, and no proxy takes the connection for dead."""

HEADERS = {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-cache, no-transform",
    "x-accel-buffering": "no",
}
"""What keeps proxies from holding a stream up."""

_compact = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode
_SURROGATE = re.compile("[\ud800-\udfff]")


def text_of(value: object) -> str:
    """A JSON value in one line."""
    try:
        return _compact(value)
    except ValueError:  # there are numbers that JSON does not have
        return _compact(_finite(value))


def quoted(text: str) -> str:
    """A piece of text as JSON, quickly: it is called for every piece of every answer."""
    return encode_basestring(text)


def as_bytes(text: str) -> bytes:
    """What goes over the wire. A lone surrogate, which no UTF-8 can hold, is escaped."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        return _SURROGATE.sub(lambda found: f"\\u{ord(found[0]):04x}", text).encode()


def frame(value: object) -> str:
    """One event that is a JSON value."""
    return f"data: {text_of(value)}\n\n"


class JSON(Response):
    """A response of JSON, whatever text and numbers are in it."""

    media_type = "application/json"

    def render(self, content: object) -> bytes:
        """Its body."""
        return as_bytes(text_of(content))


def _finite(value: object) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value
