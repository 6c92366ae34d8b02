"""Values of columns compared exactly, whatever the collation of the column."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    ARRAY,
    JSON,
    ColumnElement,
    Dialect,
    Enum,
    PickleType,
    String,
    and_,
    bindparam,
    false,
    func,
    type_coerce,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator, TypeEngine

from chatrecord.errors import ConfigurationError
from chatrecord.sqlalchemy.types import exact_collation, is_mysql

_NEVER_EQUAL = (JSON, ARRAY, PickleType)
"""Databases compare these in ways of their own, or not at all."""


def equals(column: ColumnElement[Any], value: object) -> ColumnElement[bool]:
    """Whether a column holds this value and no other that the database takes for the same.

    The plain comparison stays, for indexes serve it. Raises `ConfigurationError` for a column that
    cannot be compared.
    """
    if value is None:
        return column.is_(None)
    wanted = bindparam(None, value, type_=column.type, unique=True)
    if not _may_be_text(column):
        return column == wanted
    # In a function, or planners take it for a second condition that leaves few rows.
    same = func.coalesce(_Exact(column) == _Exact(wanted), false())
    return and_(column == wanted, same)


def exact(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """The column, as a key to group by that tells every two values apart."""
    return type_coerce(_Exact(column), column.type) if _may_be_text(column) else column


def resolved(kind: TypeEngine[Any], dialect: Dialect) -> TypeEngine[Any]:
    """What a type is in this database: the inside of a `TypeDecorator`, one of its variants."""
    found = kind.dialect_impl(dialect)
    while isinstance(found, TypeDecorator):
        found = found.load_dialect_impl(dialect)
    return found


def _may_be_text(column: ColumnElement[Any]) -> bool:
    """Whether it is text in one database or another."""
    kind = column.type
    if isinstance(kind, _NEVER_EQUAL):
        msg = (
            f"Chats cannot be told apart by {column}, which is of the type {kind!r}: databases "
            "compare it in their own ways. Declare a column of text or of numbers for that"
        )
        raise ConfigurationError(msg)
    return isinstance(kind, String | TypeDecorator) or bool(kind._variant_mapping)


class _Exact(FunctionElement[str]):
    """A value with the one comparison that tells every two texts apart."""

    inherit_cache = True
    type = String()

    def __init__(self, value: ColumnElement[Any]) -> None:
        super().__init__(value)
        self.kind = value.type


@compiles(_Exact)
def _compiled(element: _Exact, compiler: Any, **options: Any) -> str:
    value: str = compiler.process(element.clauses.clauses[0], **options)
    return _compared(value, resolved(element.kind, compiler.dialect), compiler.dialect)


def _compared(value: str, kind: TypeEngine[Any], dialect: Dialect) -> str:
    is_native = isinstance(kind, Enum) and kind.native_enum and dialect.supports_native_enum
    if not isinstance(kind, String) or (is_native and not is_mysql(dialect)):
        return value
    if is_mysql(dialect):
        return f"CONVERT({value} USING utf8mb4) COLLATE {exact_collation(dialect)}"
    if dialect.name == "postgresql":
        return f'CAST({value} AS TEXT) COLLATE "C"'
    return f"{value} COLLATE BINARY"
