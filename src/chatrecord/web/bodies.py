"""Bodies of requests: read up to a limit, as JSON objects."""

from __future__ import annotations

import json
import math
from typing import Any

from starlette.requests import ClientDisconnect, Request

from .error_responses import BadRequest

DEEPEST = 60
"""Levels of nesting that a body may have."""

MOST_VALUES = 500_000
"""Brackets, braces and commas of a body. Millions would block the loop and fill the memory."""


async def json_of(request: Request, *, limit: int) -> dict[str, Any]:
    """The body: a JSON object of at most `limit` bytes."""
    sort = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if sort != "application/json":
        raise BadRequest(415, "not_json", "Send JSON, with content-type: application/json.")
    try:
        read = await _read(request, limit)
        if sum(map(read.count, b"[{,")) > MOST_VALUES:
            raise BadRequest(413, "too_large", "The body has too many values.")
        body = json.loads(read, parse_constant=_refuse, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        raise BadRequest(400, "not_json", "The body is not valid JSON.") from error
    if not isinstance(body, dict):
        raise BadRequest(400, "not_json", "The body has to be a JSON object.")
    if _depth_exceeds(body, DEEPEST):
        raise BadRequest(400, "not_json", "The body is nested too deeply.")
    return body


async def _read(request: Request, limit: int) -> bytes:
    """The body. At most the limit and one piece are in memory."""
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > limit:
        raise _too_large(limit)
    body = bytearray()
    try:
        async for piece in request.stream():
            body += piece
            if len(body) > limit:
                raise _too_large(limit)
    except ClientDisconnect as error:
        raise BadRequest(400, "cut_off", "The body was cut off.") from error
    return bytes(body)


def _refuse(name: str) -> object:
    """NaN and the like, which Python reads though they are no JSON."""
    raise ValueError(name)


def _finite(number: str) -> float:
    """A number too large for a float would be infinite, which is no JSON either."""
    if math.isinf(found := float(number)):
        raise ValueError(number)
    return found


def _too_large(limit: int) -> BadRequest:
    return BadRequest(413, "too_large", f"The body is larger than {limit} bytes.")


def _depth_exceeds(value: object, levels: int) -> bool:
    if not isinstance(value, dict | list):
        return False
    if levels == 0:
        return True
    items = value.values() if isinstance(value, dict) else value
    return any(_depth_exceeds(item, levels - 1) for item in items)


def text_field(body: dict[str, object], name: str, *, longest: int = 255) -> str:
    """A field that has to be there, a text that is not blank."""
    found = optional_text(body, name, longest=longest)
    if found is None or not found.strip():
        raise invalid(f"{name!r} is missing: a text.")
    return found


def optional_text(body: dict[str, object], name: str, *, longest: int = 255) -> str | None:
    """A field that may be left out, a text."""
    found = body.get(name)
    if found is None:
        return None
    if not isinstance(found, str):
        raise invalid(f"{name!r} has to be a text.")
    if len(found) > longest:
        raise invalid(f"{name!r} is longer than {longest} characters.")
    return found


def identifier(body: dict[str, object], name: str) -> str | None:
    """An id that may be left out, of characters that can be seen; a blank one is none."""
    found = optional_text(body, name)
    if found and not found.isprintable():
        raise invalid(f"{name!r} has characters that no id has.")
    return found or None


def needed_id(body: dict[str, object], name: str) -> str:
    """An id that has to be there."""
    found = identifier(body, name)
    if found is None:
        raise invalid(f"{name!r} is missing: an id.")
    return found


def invalid(message: str) -> BadRequest:
    """A body that is JSON, but not what was asked for."""
    return BadRequest(422, "invalid_body", message)
