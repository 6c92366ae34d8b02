"""Whether a column of the database holds what the type of the models writes.

A wider type is enough: BIGINT for INTEGER, TEXT for VARCHAR. A type that nobody knows is not
compared.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    Boolean,
    Date,
    DateTime,
    Dialect,
    Enum,
    Float,
    Integer,
    Interval,
    Numeric,
    SmallInteger,
    String,
    Time,
    Uuid,
)
from sqlalchemy.dialects import mysql, postgresql
from sqlalchemy.types import JSON, NullType

from chatrecord.sqlalchemy.generics import ColumnType
from chatrecord.sqlalchemy.models.known_types import BYTES, resolved
from chatrecord.sqlalchemy.types import is_mysql

_FAMILIES: tuple[tuple[str, tuple[type[ColumnType], ...]], ...] = (
    ("unknown", (NullType, Enum)),
    ("jsonb", (postgresql.JSONB,)),
    ("json", (JSON,)),
    ("uuid", (Uuid,)),
    ("truth", (Boolean,)),
    ("integer", (Integer,)),
    ("float", (Float,)),
    ("decimal", (Numeric,)),
    ("moment", (DateTime,)),
    ("date", (Date,)),
    ("time", (Time,)),
    ("interval", (Interval, postgresql.INTERVAL)),
    ("text", (String,)),
    ("bytes", BYTES),
)
_ALSO: dict[str, frozenset[str]] = {
    "truth": frozenset({"integer"}),
    "float": frozenset({"decimal"}),
}
"""What else holds a family's values."""

_WITHOUT_UUID = frozenset({"text"})
_UUID_LENGTH = 32
_MYSQL_LENGTHS = ((mysql.TINYTEXT, 2**8), (mysql.MEDIUMTEXT, 2**24), (mysql.LONGTEXT, 2**32))
_MYSQL_TEXT = 2**16
_UNLIMITED = 2**32


def mismatch(declared: ColumnType, there: ColumnType, dialect: Dialect) -> str | None:
    """Why this column cannot hold what the models write; `None` if it can, or nobody knows."""
    needed = resolved(declared, dialect)
    family, found = _family(needed), _family(there)
    if "unknown" in (family, found):
        return None
    if found != family and found not in _others(family, needed, dialect):
        return "is of another type"
    return _narrower(needed, there, dialect)


def shown(kind: ColumnType, dialect: Dialect) -> str:
    """A type as the database writes it."""
    return resolved(kind, dialect).compile(dialect=dialect).replace(" CHARACTER SET utf8mb4", "")


def _family(kind: ColumnType) -> str:
    if isinstance(kind, Numeric) and not kind.asdecimal:
        return "float"  # which is a kind of Numeric in SQLAlchemy 2.0, and in its drivers
    return next((name for name, kinds in _FAMILIES if isinstance(kind, kinds)), "unknown")


def _others(family: str, needed: ColumnType, dialect: Dialect) -> frozenset[str]:
    if family == "uuid" and not (isinstance(needed, Uuid) and _is_native(needed, dialect)):
        return _WITHOUT_UUID
    return _ALSO.get(family, frozenset())


def _is_native(kind: Uuid[Any], dialect: Dialect) -> bool:
    return bool(kind.native_uuid and dialect.supports_native_uuid)


def _narrower(needed: ColumnType, there: ColumnType, dialect: Dialect) -> str | None:
    if dialect.name == "sqlite":
        return None  # its columns hold any length, and any number of digits
    if isinstance(there, String):
        return _narrower_text(needed, there, dialect)
    if isinstance(there, SmallInteger | mysql.MEDIUMINT) and not _is_small(needed):
        return "holds smaller numbers only"
    if isinstance(there, DateTime):
        return _coarser_moment(there, dialect)
    if isinstance(needed, Numeric) and isinstance(there, Numeric):
        return _fewer_places(needed, there)
    return None


def _is_small(needed: ColumnType) -> bool:
    return isinstance(needed, SmallInteger | Boolean)


def _narrower_text(needed: ColumnType, there: String, dialect: Dialect) -> str | None:
    if _longest(there, dialect) < _longest(needed, dialect):
        return "is too short"
    collation = getattr(needed, "collation", None)
    if collation and there.collation and not there.collation.endswith("_bin"):
        return f"compares by {there.collation}, which takes different texts for the same"
    return None


def _longest(kind: ColumnType, dialect: Dialect) -> int:
    if isinstance(kind, Uuid):
        return _UUID_LENGTH
    for text, longest in _MYSQL_LENGTHS:
        if isinstance(kind, text):
            return longest
    length: int | None = getattr(kind, "length", None)
    return length or (_MYSQL_TEXT if is_mysql(dialect) else _UNLIMITED)


_MICROSECONDS = 6


def _coarser_moment(there: DateTime, dialect: Dialect) -> str | None:
    if isinstance(there, mysql.DATETIME | mysql.TIMESTAMP) and there.fsp != _MICROSECONDS:
        return "holds no microseconds"
    if dialect.name == "postgresql" and not there.timezone:
        return "has no time zone"
    return None


def _fewer_places(needed: Numeric[Any], there: Numeric[Any]) -> str | None:
    if needed.scale is None or there.scale is None or there.scale >= needed.scale:
        return None
    return "holds fewer places"
