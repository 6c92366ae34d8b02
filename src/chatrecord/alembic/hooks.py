"""What `env.py` passes to Alembic where an application has tables of its own."""

from __future__ import annotations

from typing import Any, Literal

from alembic.autogenerate.api import AutogenContext

from chatrecord.sqlalchemy.sql.search_index import PREFIX
from chatrecord.sqlalchemy.tables import Base

from .migration import VERSION_TABLE

_TYPES = "chatrecord.sqlalchemy.types"
_READY_MADE = frozenset((*Base.metadata.tables, VERSION_TABLE))


def render_item(kind: str, item: object, autogen_context: AutogenContext) -> str | Literal[False]:
    """Write the library's column types into a migration, with their import.

        context.configure(..., render_item=render_item)

    Returns `False` for all else: Alembic then writes it as it always does.
    """
    if kind != "type" or type(item).__module__ != _TYPES:
        return False
    autogen_context.imports.add(f"import {_TYPES}")
    return f"{_TYPES}.{type(item).__name__}()"


def include_object(
    _item: object, name: str | None, kind: str, reflected: bool, compare_to: Any
) -> bool:
    """Leave alone what is not in your metadata: the ready-made tables, and the search index.

        context.configure(..., include_object=include_object)

    Autogenerate would drop them otherwise.
    """
    is_unknown = reflected and compare_to is None
    if is_unknown and name is not None and name.startswith(PREFIX):
        return False
    return not (kind == "table" and is_unknown and name in _READY_MADE)
