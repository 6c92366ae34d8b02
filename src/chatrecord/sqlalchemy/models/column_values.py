"""Checks the values of a chat's columns: a column takes values of its type, and no others.

Databases turn what they are given into what they need. Some compare the text 'Bob' with the number
0 and find them equal, or take '7abc' for 7: a scope of another type would let strangers in.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BINARY,
    CHAR,
    VARBINARY,
    Boolean,
    Dialect,
    Enum,
    Float,
    Integer,
    Numeric,
    String,
)
from sqlalchemy.types import TypeDecorator

from chatrecord.errors import ConfigurationError
from chatrecord.sqlalchemy.generics import ColumnType, Expression
from chatrecord.sqlalchemy.types import Key
from chatrecord.text.arguments import LONGEST_KEY
from chatrecord.text.storable import escape

from .known_types import BYTES, resolved, taken_by

_LARGEST = 2**63
_COMPARED = (String, Integer, Numeric, Float, BINARY)
"""Whose values databases turn into others."""
_EXACTLY = (String, Integer, Boolean, *BYTES)
"""Whose values are read as they were written."""

_FIXES: Mapping[type, str] = {
    str: "pass str({name})",
    int: "pass int({name})",
    bool: "pass True or False",
    float: "pass float({name})",
    Decimal: "pass Decimal(str({name}))",
    UUID: "pass UUID(str({name}))",
    bytes: "pass its bytes",
    date: "pass its .date()",
}


def check_value(name: str, kind: ColumnType, value: object, dialect: Dialect) -> None:
    """Raise `TypeError` or `ValueError` for a value that is none of this column's."""
    if value is None:
        return
    taken = taken_by(kind)
    if taken is None and isinstance(kind, TypeDecorator):
        _check_decorated(name, kind, value, dialect)
    elif taken is None:
        within = resolved(kind, dialect)
        _check(name, within, taken_by(within) or (object,), value)
    else:
        _check(name, kind, taken, value)


def check_stored(
    columns: Mapping[str, Expression],
    given: Mapping[str, object],
    stored: Mapping[str, object],
) -> None:
    """Raise `ConfigurationError` where the database keeps something else than it was given.

    A column that shortens, pads or replaces a value would mix owners up. What a `TypeDecorator` of
    the user's makes of a value is meant.
    """
    for name, value in given.items():
        kind = columns[name].type
        if _comes_back(kind, value) and _unpadded(kind, stored[name]) != value:
            msg = (
                f"{name}= was not stored as it is: the database made another value of it. Declare "
                "the column as what can hold it, such as a longer String"
            )
            raise ConfigurationError(msg)


def _comes_back(kind: ColumnType, value: object) -> bool:
    """Whether this value is read as it was written."""
    return (
        isinstance(value, str | int | bytes)
        and isinstance(kind, _EXACTLY)
        and not isinstance(kind, Enum)
    )


def _unpadded(kind: ColumnType, stored: object) -> object:
    return stored.rstrip(" ") if isinstance(kind, CHAR) and isinstance(stored, str) else stored


def _check(name: str, kind: ColumnType, taken: tuple[type, ...], value: object) -> None:
    if not _is_one(value, taken):
        fix = _FIXES.get(taken[0], f"pass a {taken[0].__name__}").format(name=name)
        msg = f"{name}= takes {taken[0].__name__}, not {type(value).__name__}: {fix}"
        raise TypeError(msg)
    if isinstance(value, str):
        _check_text(name, kind, value)
    elif isinstance(value, bytes):
        _check_bytes(name, kind, value)
    elif isinstance(value, int) and not -_LARGEST <= value < _LARGEST:
        msg = f"{name}= takes a number of 64 bits, not one of {value.bit_length()}"
        raise ValueError(msg)
    elif isinstance(value, Decimal):
        _check_places(name, kind, value)


def _is_one(value: object, taken: tuple[type, ...]) -> bool:
    if isinstance(value, bool):
        return bool in taken or object in taken
    if isinstance(value, datetime) and date in taken:
        return False
    return isinstance(value, taken)


def _check_text(name: str, kind: ColumnType, value: str) -> None:
    if isinstance(kind, Enum):
        if value not in kind.enums:
            msg = f"{name}= is one of {', '.join(map(repr, kind.enums))}"
            raise ValueError(msg)
        return
    longest = LONGEST_KEY if isinstance(kind, Key) else getattr(kind, "length", None)
    if longest is not None and len(escape(value) if isinstance(kind, Key) else value) > longest:
        msg = f"{name}= takes at most {longest} characters"
        raise ValueError(msg)
    if isinstance(kind, CHAR) and value.endswith(" "):
        msg = (
            f"{name}= ends with a space, which a CHAR column drops: declare the column as String, "
            "or pass the value without it"
        )
        raise ValueError(msg)


def _check_bytes(name: str, kind: ColumnType, value: bytes) -> None:
    if isinstance(kind, BINARY) and len(value) != (width := kind.length or 1):
        msg = (
            f"{name}= takes {width} bytes, as a BINARY column adds zero bytes to fewer: declare "
            "the column as VARBINARY, or pass as many bytes"
        )
        raise ValueError(msg)
    if isinstance(kind, VARBINARY) and kind.length is not None and len(value) > kind.length:
        msg = f"{name}= takes at most {kind.length} bytes"
        raise ValueError(msg)


def _check_places(name: str, kind: ColumnType, value: Decimal) -> None:
    if not value.is_finite():
        msg = f"{name}= takes a finite number, not {value}"
        raise ValueError(msg)
    scale = getattr(kind, "scale", None)
    if scale is not None and value != round(value, scale):
        msg = f"{name}= takes at most {scale} places: pass round({name}, {scale})"
        raise ValueError(msg)


def _check_decorated(name: str, kind: TypeDecorator[Any], value: object, dialect: Dialect) -> None:
    """What a type of the user's own hands on has to be text for text, and a number for a number."""
    own, plain = type(kind), TypeDecorator
    if own.bind_processor is not plain.bind_processor:  # as that of pickles: nothing to compare
        return
    within = kind.load_dialect_impl(dialect)
    if own.process_bind_param is plain.process_bind_param:
        check_value(name, within, value, dialect)
        return
    try:
        bound = kind.process_bind_param(value, dialect)
    except Exception as error:
        msg = f"{name}= takes no {type(value).__name__}: {type(kind).__name__} refuses it"
        raise TypeError(msg) from error
    inside = resolved(within, dialect)
    if isinstance(inside, _COMPARED) and not isinstance(inside, Enum):
        check_value(name, within, bound, dialect)
