"""Columns of the user, of unknown types: a value that JSON lacks is written with its type."""

from __future__ import annotations

import math
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

from chatrecord.records import Json

from .fields import JSON

_WRITTEN: tuple[tuple[type, str, Callable[[Any], Json]], ...] = (
    (Enum, "enum", lambda value: value.name),  # first: one may be a text or a number as well
    (datetime, "datetime", datetime.isoformat),  # before date, which it is, too
    (date, "date", date.isoformat),
    (time, "time", time.isoformat),
    (timedelta, "microseconds", lambda value: value // timedelta(microseconds=1)),
    (Decimal, "decimal", str),
    (UUID, "uuid", str),
    (bytes, "bytes", lambda value: b64encode(value).decode("ascii")),
    (float, "float", str),  # one that is not finite
    (dict, "json", lambda value: value),
    (list, "json", lambda value: value),
)
_READ: Mapping[str, Callable[[Any], Any]] = {
    "enum": str,
    "datetime": datetime.fromisoformat,
    "date": date.fromisoformat,
    "time": time.fromisoformat,
    "microseconds": lambda value: timedelta(microseconds=value),
    "decimal": Decimal,
    "uuid": UUID,
    "bytes": lambda value: b64decode(value, validate=True),
    "float": float,
    "json": JSON.read,
}


def write_column(name: str, value: object) -> Json:
    """The value of a column as JSON. Raises `TypeError` for what cannot be written."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str | int) and not isinstance(value, Enum):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    for kind, word, write in _WRITTEN:
        if isinstance(value, kind):
            return {"type": word, "value": write(value)}
    msg = f"The column {name} holds a {type(value).__name__}, which an export cannot write"
    raise TypeError(msg)


def read_column(value: Json) -> object:
    """What was written. Raises `ValueError`."""
    if not isinstance(value, dict | list):
        return value
    try:
        assert isinstance(value, dict)
        assert set(value) == {"type", "value"}
        return _READ[str(value["type"])](value["value"])
    except (AssertionError, KeyError, TypeError, ValueError, ArithmeticError) as error:
        kinds = ", ".join(_READ)
        msg = f'takes a plain value, or {{"type": ..., "value": ...}} of one of: {kinds}'
        raise ValueError(msg) from error
