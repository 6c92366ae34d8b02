"""What a database has of the ready-made tables, read once before it is migrated.

The steps of a migration consult it, because `create_tables()` may have been faster, and because
tables of tool calls and requests may have been left out. Printed migrations have no other way to
know.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from sqlalchemy import Connection, inspect

CHATS = "llm_chats"
_PREFIX = "llm_"


class ForeignKey(NamedTuple):
    """A foreign key of a table. SQLite gives most of them no name."""

    name: str | None
    columns: tuple[str, ...]


class Table(NamedTuple):
    """A table that is there."""

    columns: Mapping[str, bool]
    """Whether each takes NULL."""
    indexes: frozenset[str]
    foreign_keys: tuple[ForeignKey, ...]
    reflected: tuple[Mapping[str, Any], ...] = ()
    """Its columns, as SQLAlchemy reads them."""
    statements: Mapping[str, str] = {}
    """Those that made its indexes and triggers, by name, where SQLite would drop them with it."""


class Seen(NamedTuple):
    """The tables that are there, by name. Without a table of chats, all are to be created."""

    tables: Mapping[str, Table]

    @property
    def is_new(self) -> bool:
        """Whether there are no chats yet."""
        return CHATS not in self.tables

    def has(self, table: str) -> bool:
        """Whether a step for this table is needed: the user may have left it out."""
        return self.is_new or table in self.tables

    def lacks_column(self, table: str, column: str) -> bool:
        return self.is_new or (table in self.tables and column not in self.tables[table].columns)

    def lacks_index(self, table: str, name: str) -> bool:
        return self.is_new or (table in self.tables and name not in self.tables[table].indexes)

    def foreign_key(self, table: str, column: str) -> str | None:
        """The name of the foreign key of this column, which is empty on SQLite."""
        keys = self.tables[table].foreign_keys if table in self.tables else ()
        return next((key.name or "" for key in keys if key.columns == (column,)), None)

    def is_required(self, table: str, column: str) -> bool:
        return table in self.tables and self.tables[table].columns.get(column) is False


def seen_in(connection: Connection) -> Seen:
    """The ready-made tables of this database."""
    inspector = inspect(connection)
    names = [name for name in inspector.get_table_names() if name.startswith(_PREFIX)]
    is_sqlite = connection.dialect.name == "sqlite"
    statements = {name: _statements(connection, name) if is_sqlite else {} for name in names}
    return Seen({name: _table(inspector, name, statements[name]) for name in names})


def _statements(connection: Connection, table: str) -> dict[str, str]:
    query = "SELECT name, sql FROM sqlite_master WHERE tbl_name = ? AND type IN ('index','trigger')"
    found = connection.exec_driver_sql(f"{query} AND sql IS NOT NULL", (table,))
    return {str(name): str(sql) for name, sql in found}


def _table(inspector: Any, name: str, statements: Mapping[str, str]) -> Table:
    columns = inspector.get_columns(name)
    return Table(
        {str(each["name"]): bool(each["nullable"]) for each in columns},
        frozenset(str(each["name"]) for each in inspector.get_indexes(name)),
        tuple(
            ForeignKey(each["name"], tuple(each["constrained_columns"]))
            for each in inspector.get_foreign_keys(name)
        ),
        tuple(columns),
        statements,
    )
