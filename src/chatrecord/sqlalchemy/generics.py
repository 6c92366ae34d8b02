"""SQLAlchemy's generic types by one name each.

What they hold is known only when the tables are: a `Models` may be of the user's own classes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from sqlalchemy import Column, ColumnElement, Label, RowMapping, Select
from sqlalchemy.sql.dml import ReturningUpdate
from sqlalchemy.types import TypeEngine

Query: TypeAlias = Select[*tuple[Any, ...]]
"""A SELECT."""

Expression: TypeAlias = ColumnElement[Any]
"""A column, or what is computed from columns."""

TableColumn: TypeAlias = Column[Any]
"""A column of a table."""

ColumnType: TypeAlias = TypeEngine[Any]
"""The type of a column."""

Named: TypeAlias = Label[Any]
"""An expression with the name it has in the result."""

UpdateReturning: TypeAlias = ReturningUpdate[*tuple[Any, ...]]
"""An UPDATE that returns its changed rows."""

Row: TypeAlias = RowMapping | Mapping[str, Any]
"""A row by the names of its columns."""

Values: TypeAlias = dict[str, Any]
"""What is written into columns, or bound to parameters, by their names."""
