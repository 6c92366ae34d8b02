"""The steps of the migrations. Each does nothing where it has been done already."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal, cast

from alembic import op
from sqlalchemy import Column, MetaData, Table, literal_column
from sqlalchemy.schema import CreateIndex, CreateTable

from .seen import Seen


def seen() -> Seen:
    """What the database had before the migration."""
    return cast(Seen, op.get_context().opts["chatrecord_seen"])


def create_table(table: Table, *, is_first: bool = False, beside: str | None = None) -> None:
    """Create a table with its indexes.

    Those that were there from the beginning may have been left out, and with them those that are
    only used `beside` another.
    """
    is_there = not seen().is_new if is_first else table.name in seen().tables
    if is_there or (beside is not None and not seen().has(beside)):
        return
    op.execute(CreateTable(table))
    for index in sorted(table.indexes, key=lambda index: str(index.name)):
        op.execute(CreateIndex(index))


def add_column(table: str, column: Column[Any], *, beside: str | None = None) -> None:
    """Add a column. `beside` is that of `create_table`, for a table that is not of the first."""
    is_created_here = beside is not None and table not in seen().tables and seen().has(beside)
    if is_created_here or seen().lacks_column(table, column.name):
        op.add_column(table, column)


def drop_not_null(table: Table, column: str) -> None:
    """Let a column be NULL. `table` is the whole table as it was until then: SQLite copies it."""
    if seen().is_required(table.name, column):
        with _altering(table) as batch:
            batch.alter_column(column, nullable=True, existing_type=table.c[column].type)


def drop_foreign_key(table: Table, column: str) -> None:
    """Drop the foreign key of a column. `table` is the whole table without it, as SQLite needs."""
    if not seen().is_new and seen().foreign_key(table.name, column) is None:
        return
    dialect = op.get_context().dialect.name
    if dialect == "sqlite":
        with _altering(table, recreate="always"):
            pass
    else:
        name = seen().foreign_key(table.name, column) or _GIVEN[dialect](table.name, column)
        op.drop_constraint(name, table.name, type_="foreignkey")


@contextmanager
def _altering(table: Table, recreate: Literal["auto", "always"] = "auto") -> Iterator[Any]:
    """Alter a table. What the user has added to it survives that SQLite copies it."""
    if op.get_context().dialect.name != "sqlite":
        with op.batch_alter_table(table.name) as batch:
            yield batch
        return
    there = seen().tables.get(table.name)
    copied = table.to_metadata(MetaData())
    for found in there.reflected if there else ():
        if found["name"] not in copied.c:
            copied.append_column(_column(found))
    op.execute("PRAGMA legacy_alter_table = ON")  # views of the table do not hinder its renaming
    with op.batch_alter_table(table.name, copy_from=copied, recreate=recreate) as batch:
        yield batch
    op.execute("PRAGMA legacy_alter_table = OFF")
    kept = {index.name for index in copied.indexes}
    for name, statement in (there.statements if there else {}).items():
        if name not in kept:
            op.execute(statement.replace(":", r"\:"))  # no parameter


def _column(found: Mapping[str, Any]) -> Column[Any]:
    default = found["default"]
    return Column(
        found["name"],
        found["type"],
        nullable=found["nullable"],
        server_default=None if default is None else literal_column(default),
    )


_GIVEN: dict[str, Callable[[str, str], str]] = {
    "postgresql": "{}_{}_fkey".format,
    "mysql": "{}_ibfk_1".format,
    "mariadb": "{}_ibfk_1".format,
}
"""The name that a database gives to a foreign key that has just been created without one."""
