"""What tells whether a row has changed, whoever has changed it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Dialect, Text
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator

from chatrecord.sqlalchemy.generics import Expression
from chatrecord.sqlalchemy.types import Processor

_END, _NULL = "X'1A7C'", "X'1A2D'"
"""What no stored text contains: four digits follow each 1A, see `chatrecord.text.storable`."""


class _Version(TypeDecorator[object]):
    impl = Text
    cache_ok = True

    def result_processor(self, dialect: Dialect, coltype: object) -> Processor | None:
        # SQLite has neither versions of rows nor a hash function: what it hands out is all text.
        return hash if dialect.name == "sqlite" else None


class row_version(FunctionElement[object]):  # noqa: N801 - reads as an SQL function
    """A value that is another one after each change of these columns, and means nothing else.

    On PostgreSQL it is the number of the transaction that wrote the row, which the server keeps
    with every row, and the id of the row: a server that takes over without the last transactions
    gives their numbers to others. Elsewhere it is a hash of the columns as they are stored, and
    NULL for a row that is too large to be hashed.
    """

    inherit_cache = True
    type = _Version()

    def __init__(self, columns: Sequence[Expression]) -> None:
        super().__init__(*columns)


@compiles(row_version)
def _compiled(element: row_version, compiler: Any, **options: object) -> str:
    columns = [compiler.process(column, **options) for column in element.clauses]
    if compiler.dialect.name == "postgresql":
        name: str = compiler.preparer.format_column(next(iter(element.clauses)))
        return f"CAST({columns[0].removesuffix(name)}xmin AS TEXT) || CAST({columns[0]} AS TEXT)"
    if compiler.dialect.name == "sqlite":
        return " || ".join(f"coalesce({column}, {_NULL}) || {_END}" for column in columns)
    stored = (f"coalesce(CAST({column} AS BINARY), {_NULL}), {_END}" for column in columns)
    return f"MD5(CONCAT({', '.join(stored)}))"
