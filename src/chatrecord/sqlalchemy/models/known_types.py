"""The column types whose values this library can tell apart, and what each takes."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from uuid import UUID

from sqlalchemy import (
    BINARY,
    VARBINARY,
    Boolean,
    Date,
    DateTime,
    Dialect,
    Enum,
    Float,
    Integer,
    Interval,
    LargeBinary,
    Numeric,
    String,
    Time,
    Uuid,
)
from sqlalchemy.dialects import mysql, postgresql
from sqlalchemy.types import TypeDecorator

from chatrecord.sqlalchemy.generics import ColumnType
from chatrecord.sqlalchemy.types import Key, LongText, Money, UtcDateTime

BYTES = (
    LargeBinary,
    BINARY,
    VARBINARY,
    mysql.TINYBLOB,
    mysql.MEDIUMBLOB,
    mysql.LONGBLOB,
)
"""Types of bytes: SQLAlchemy gives them no base that is public."""

_SIMPLE: tuple[tuple[type[ColumnType], tuple[type, ...]], ...] = (
    (Boolean, (bool,)),
    (Integer, (int,)),
    (String, (str,)),
    (DateTime, (datetime,)),
    (Date, (date,)),
    (Time, (time,)),
    (Interval, (timedelta,)),
    (postgresql.INTERVAL, (timedelta,)),
    *((kind, (bytes,)) for kind in BYTES),
    (LongText, (str,)),
    (Key, (str,)),
    (UtcDateTime, (datetime,)),
    (Money, (Decimal, int)),
)
"""What each type takes, the preferred one first."""


def taken_by(kind: ColumnType) -> tuple[type, ...] | None:
    """What a type takes; `None` for one that is not known."""
    if isinstance(kind, Enum):
        return (str,) if kind.enum_class is None else (kind.enum_class, str)
    if isinstance(kind, Uuid):
        return (UUID,) if kind.as_uuid else (str,)
    if isinstance(kind, Numeric | Float):
        return (Decimal, int) if kind.asdecimal else (float, int)
    return next((taken for simple, taken in _SIMPLE if isinstance(kind, simple)), None)


def resolved(kind: ColumnType, dialect: Dialect) -> ColumnType:
    """What a type is in this database.

    That is one of its variants, the inside of a `TypeDecorator`, or what a domain is made of.
    """
    found = kind.dialect_impl(dialect)
    while isinstance(found, TypeDecorator | postgresql.DOMAIN):
        if isinstance(found, TypeDecorator):
            found = found.load_dialect_impl(dialect)
        else:
            found = found.data_type.dialect_impl(dialect)
    return found
