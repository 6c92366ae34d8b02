"""Values of columns compared exactly, whatever the collation of the column."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
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
from sqlalchemy.dialects.postgresql import DOMAIN
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator

from chatrecord.errors import ConfigurationError
from chatrecord.sqlalchemy.generics import ColumnType, Expression
from chatrecord.sqlalchemy.models.known_types import resolved, taken_by
from chatrecord.sqlalchemy.types import exact_collation, is_mysql


def equals(column: Expression, value: object) -> ColumnElement[bool]:
    """Whether a column holds this value and no other that the database takes for the same.

    The plain comparison stays, for indexes serve it. Raises `ConfigurationError` for a column of
    an unknown type, which may have its own comparison.
    """
    if value is None:
        return column.is_(None)
    column = _inside(column)
    wanted = bindparam(None, value, type_=column.type, unique=True)
    if not _may_be_text(column):
        return column == wanted
    # In a function, or planners take it for a second condition that leaves few rows.
    same = func.coalesce(_Exact(column) == _Exact(wanted), false())
    return and_(column == wanted, same)


def exact(column: Expression) -> Expression:
    """The column, as a key to group by that tells every two values apart."""
    column = _inside(column)
    return type_coerce(_Exact(column), column.type) if _may_be_text(column) else column


def _inside(column: Expression) -> Expression:
    """A domain is compared as its base type: SQLAlchemy gives it no operators."""
    while isinstance(column.type, DOMAIN):
        column = type_coerce(column, column.type.data_type)
    return column


def _may_be_text(column: Expression) -> bool:
    """Whether it is text in one database or another, known when a statement is compiled."""
    kind = column.type
    if isinstance(kind, PickleType):
        raise _incomparable(kind)
    if isinstance(kind, TypeDecorator) or kind._variant_mapping:
        return True
    if taken_by(kind) is None:
        raise _incomparable(kind)
    return isinstance(kind, String)


def _incomparable(kind: ColumnType) -> ConfigurationError:
    return ConfigurationError(
        f"Chats cannot be distinguished by a column of the type {kind!r}: databases compare it in "
        "their own ways. Declare a column of text or of numbers for that, such as String(100) or "
        "Integer, or a TypeDecorator of yours over one of them"
    )


class _Exact(FunctionElement[str]):
    """A value with the one comparison that tells every two texts apart."""

    inherit_cache = True
    type = String()

    def __init__(self, value: Expression) -> None:
        super().__init__(value)
        self.kind = value.type


@compiles(_Exact)
def _compiled(element: _Exact, compiler: Any, **options: object) -> str:
    value: str = compiler.process(element.clauses.clauses[0], **options)
    kind = resolved(element.kind, compiler.dialect)
    if taken_by(kind) is None:
        raise _incomparable(element.kind)
    return _compared(value, kind, compiler.dialect)


def _compared(value: str, kind: ColumnType, dialect: Dialect) -> str:
    is_native = isinstance(kind, Enum) and kind.native_enum and dialect.supports_native_enum
    if not isinstance(kind, String) or (is_native and not is_mysql(dialect)):
        return value
    if is_mysql(dialect):
        return f"CONVERT({value} USING utf8mb4) COLLATE {exact_collation(dialect)}"
    if dialect.name == "postgresql":
        return f'CAST({value} AS TEXT) COLLATE "C"'
    return f"{value} COLLATE BINARY"
