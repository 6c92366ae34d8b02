"""The values of an exported row as JSON, and back. What is read is checked to the last detail."""

from __future__ import annotations

import math
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, get_args
from uuid import UUID

from chatrecord.records import Json, Tokens
from chatrecord.text.arguments import LONGEST_KEY
from chatrecord.text.storable import escape

DEEPEST = 300
"""Levels of a JSON value: more than this no database has held, and no JSON parser likes."""

_LARGEST = 2**31 - 1
_MONEY_PLACES = 12
_MONEY_LIMIT = Decimal(10**8)


@dataclass(frozen=True, slots=True)
class Field:
    """How a value is written as JSON, and how it is read: `read` raises `ValueError`."""

    write: Callable[[Any], Json]
    read: Callable[[Json], Any]
    may_lack: bool = False
    """Whether an older export has no such field."""


def _same(value: object) -> Any:
    return value


def _text(value: Json) -> str:
    if not isinstance(value, str):
        msg = "takes text"
        raise ValueError(msg)  # noqa: TRY004 - whatever is wrong with a line is one kind of error
    return value


def _key(value: Json) -> str:
    text = _text(value)
    if len(escape(text)) > LONGEST_KEY:
        msg = f"takes at most {LONGEST_KEY} characters"
        raise ValueError(msg)
    return text


def _whole(value: Json) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) > _LARGEST:
        msg = f"takes a whole number up to {_LARGEST}"
        raise ValueError(msg)
    return value


def _number(value: Json) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        msg = "takes a number"
        raise ValueError(msg)  # noqa: TRY004
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        msg = "takes a finite number"
        raise ValueError(msg)
    return number


def _truth(value: Json) -> bool:
    if not isinstance(value, bool):
        msg = "takes true or false"
        raise ValueError(msg)  # noqa: TRY004
    return value


def _uuid(value: Json) -> UUID:
    try:
        found = UUID(_text(value))
    except ValueError as error:
        msg = "takes a UUID"
        raise ValueError(msg) from error
    return found


def _moment(value: Json) -> datetime:
    try:
        found = datetime.fromisoformat(_text(value))
        if found.tzinfo is not None:
            return found.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        msg = "takes a time such as 2026-11-22T09:30:00.000001+00:00"
        raise ValueError(msg) from error
    msg = "takes a time with a time zone, such as 2026-11-22T09:30:00.000001+00:00"
    raise ValueError(msg)


def _money(value: Json) -> Decimal:
    try:
        amount = Decimal(_text(value))
        fits = amount.is_finite() and abs(amount) < _MONEY_LIMIT
        if fits and amount == round(amount, _MONEY_PLACES):
            return amount
    except (ValueError, InvalidOperation) as error:
        msg = 'takes an amount as text, such as "0.000123"'
        raise ValueError(msg) from error
    msg = f"takes an amount below {_MONEY_LIMIT} with at most {_MONEY_PLACES} places"
    raise ValueError(msg)


def _json(value: Json) -> Json:
    """Level by level, for what is too deep would end this very check."""
    level: list[Json] = [value]
    for _ in range(DEEPEST):
        level = [inner for each in level for inner in _inside(each)]
        if not level:
            return value
    msg = f"is nested deeper than {DEEPEST} levels"
    raise ValueError(msg)


def _inside(value: Json) -> list[Json]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _object(value: Json) -> dict[str, Json]:
    if not isinstance(value, dict):
        msg = "takes an object"
        raise ValueError(msg)  # noqa: TRY004
    _json(value)
    return value


def _bytes(value: Json) -> bytes:
    try:
        return b64decode(_text(value), validate=True)
    except ValueError as error:
        msg = "takes base64"
        raise ValueError(msg) from error


def _tokens(value: Json) -> Tokens:
    counts = _object(value)
    names = {field.name for field in fields(Tokens)}
    if set(counts) != names:
        msg = f"takes an object of {', '.join(sorted(names))}"
        raise ValueError(msg)
    return Tokens(**{name: optional(WHOLE).read(count) for name, count in counts.items()})


def _counts(tokens: Tokens) -> Json:
    return {field.name: getattr(tokens, field.name) for field in fields(Tokens)}


def optional(field: Field) -> Field:
    """The same, or nothing."""
    return Field(
        lambda value: None if value is None else field.write(value),
        lambda value: None if value is None else field.read(value),
    )


def added_later(field: Field) -> Field:
    """The same, or nothing in an export that was written before there was this field."""
    return replace(field, may_lack=True)


def one_of(literal: object) -> Field:
    """One of the texts of a `Literal`."""
    choices = get_args(literal)

    def read(value: Json) -> str:
        if value not in choices:
            msg = f"is one of {', '.join(choices)}"
            raise ValueError(msg)
        return str(value)

    return Field(_same, read)


TEXT = Field(_same, _text)
KEY = Field(_same, _key)
WHOLE = Field(_same, _whole)
NUMBER = Field(_same, _number)
TRUTH = Field(_same, _truth)
JSON = Field(_same, _json)
OBJECT = Field(_same, _object)
ID = Field(str, _uuid)
MOMENT = Field(lambda value: value.astimezone(UTC).isoformat(timespec="microseconds"), _moment)
MONEY = Field(str, _money)
TOKENS = Field(_counts, _tokens)
BYTES = Field(lambda value: b64encode(value).decode("ascii"), _bytes)

Layout = Mapping[str, Field]
"""The fields of a kind of row."""


def written(layout: Layout, record: object) -> dict[str, Json]:
    """These fields of a record as JSON."""
    return {name: field.write(getattr(record, name)) for name, field in layout.items()}


def read(layout: Layout, row: Mapping[str, Json]) -> dict[str, Any]:
    """The values of a row that has these fields and no others. Raises `ValueError`."""
    missing = [name for name, field in layout.items() if name not in row and not field.may_lack]
    unknown = [name for name in row if name not in layout]
    if missing:
        msg = f"has no {missing[0]}"
        raise ValueError(msg)
    if unknown:
        msg = f"has an unknown {unknown[0]!r}: was it written by a newer chatrecord?"
        raise ValueError(msg)
    return {name: _read(name, field, row.get(name)) for name, field in layout.items()}


def _read(name: str, field: Field, value: Json) -> Any:
    try:
        return field.read(value)
    except ValueError as error:
        msg = f"{name} {error}"
        raise ValueError(msg) from error
