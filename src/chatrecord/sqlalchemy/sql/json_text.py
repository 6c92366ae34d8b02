"""A JSON column as its text."""

from __future__ import annotations

from typing import Any

from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from chatrecord.sqlalchemy.generics import Expression
from chatrecord.sqlalchemy.types import JsonText


class json_text(FunctionElement[str]):  # noqa: N801 - reads as an SQL function
    """The text of a JSON column, which no driver parses."""

    inherit_cache = True
    type = JsonText()

    def __init__(self, column: Expression) -> None:
        super().__init__(column)


@compiles(json_text)
def _compiled(element: json_text, compiler: Any, **options: object) -> str:
    column: str = compiler.process(element.clauses.clauses[0], **options)
    is_json = compiler.dialect.name == "postgresql"  # text elsewhere, see `JsonValue`
    return f"CAST({column} AS TEXT)" if is_json else column
