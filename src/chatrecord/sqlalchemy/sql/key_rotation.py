"""The SQL of rotation: private values as they are stored, page by page, and each written back."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import (
    ColumnElement,
    Dialect,
    Table,
    Text,
    Update,
    and_,
    bindparam,
    or_,
    select,
    type_coerce,
    update,
)
from sqlalchemy import cast as sql_cast

from chatrecord.sqlalchemy.generics import Expression, Query, TableColumn
from chatrecord.sqlalchemy.types import PrivateJson, PrivateText


def private_columns(table: Table) -> list[TableColumn]:
    """The columns of a table that are encrypted where there are keys."""
    return [column for column in table.c if isinstance(column.type, PrivateText | PrivateJson)]


def stored_values(
    table: Table, dialect: Dialect, after: Sequence[object] | None, limit: int
) -> Query:
    """The next rows in the order of their keys, their private columns as they are stored."""
    keys = list(table.primary_key.columns)
    raw = [_raw(column, dialect).label(f"raw_{column.key}") for column in private_columns(table)]
    page = select(*keys, *raw).order_by(*keys).limit(limit)
    return page if after is None else page.where(_after(keys, after))


def write_back(table: Table, column: TableColumn, dialect: Dialect) -> Update:
    """A new stored value for a column, unless it was changed meanwhile."""
    same = [key == bindparam(f"key_{key.key}") for key in table.primary_key.columns]
    unchanged = _raw(column, dialect) == bindparam("old", type_=Text())
    new: Expression = bindparam("new", type_=Text())
    if _is_native(column, dialect):
        new = sql_cast(new, column.type.dialect_impl(dialect))
    return update(table).where(*same, unchanged).values({column: new})


def _raw(column: TableColumn, dialect: Dialect) -> Expression:
    if _is_native(column, dialect):
        return sql_cast(column, Text())
    return type_coerce(column, Text())


def _is_native(column: TableColumn, dialect: Dialect) -> bool:
    """Whether the database itself has a type for it, which is no text."""
    return isinstance(column.type, PrivateJson) and dialect.name == "postgresql"


def _after(keys: Sequence[TableColumn], last: Sequence[object]) -> ColumnElement[bool]:
    reached = [
        and_(*(keys[n] == last[n] for n in range(place)), keys[place] > last[place])
        for place in range(len(keys))
    ]
    return or_(*reached)
