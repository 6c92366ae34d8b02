"""Conditions that few rows meet: found by their index, also where statistics know only the rest."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import ColumnElement, bindparam

from chatrecord.sqlalchemy.generics import Expression


def is_rare(column: Expression, value: str) -> ColumnElement[bool]:
    """Whether a column holds this value, which few rows have at any time.

    Statistics of SQLite say how many rows have a value on average: nearly all, where all but a few
    are complete. It then reads the table. For a range it uses the index.
    """
    return column.between(value, value)


def is_set(column: Expression) -> ColumnElement[bool]:
    """Whether a column of ids is not NULL, where nearly all rows have NULL in it."""
    first = bindparam(None, UUID(int=0), type_=column.type, unique=True)
    return column >= first
