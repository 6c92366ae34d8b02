"""What the models need and the database lacks.

What it has beyond that is no difference: further tables, columns, indexes, and wider types.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from sqlalchemy import Column, Connection, Dialect, Index, String, Table, UniqueConstraint, inspect
from sqlalchemy.engine.reflection import Inspector, ObjectKind

from chatrecord.errors import SchemaDifference
from chatrecord.sqlalchemy.generics import TableColumn

from .column_types import mismatch, shown

Reflected: TypeAlias = Mapping[str, Any]
_Names: TypeAlias = tuple[str, ...]


def differences(connection: Connection, tables: Sequence[Table]) -> list[SchemaDifference]:
    """What has to change in this database: what is missing, then what is there and does not fit."""
    reflected = _reflected(connection, tables)
    there = [(table, reflected[table.key]) for table in tables if table.key in reflected]
    return [
        *(_missing_table(table) for table in tables if table.key not in reflected),
        *(it for table, found in there for it in _missing_columns(table, found)),
        *(it for table, found in there for it in _unfit_columns(table, found, connection.dialect)),
        *(it for table, found in there for it in _unknown_columns(table, found)),
        *(it for table, found in there for it in _missing_indexes(table, found)),
    ]


class _Reflected:
    """A table as the database has it."""

    def __init__(
        self,
        columns: Sequence[Reflected],
        key: Reflected | None,
        uniques: Sequence[Reflected],
        indexes: Sequence[Reflected],
        options: Reflected,
    ) -> None:
        self.columns = {str(column["name"]): column for column in columns}
        _inherit_collation(self.columns.values(), options)
        whole = [index for index in indexes if not _is_partial(index)]
        unique = [index for index in whole if index.get("unique")]
        primary = tuple((key or {}).get("constrained_columns") or ())
        self.unique = {primary} | {_names(each) for each in [*uniques, *unique]}
        self.indexed = self.unique | {_names(each) for each in whole}


def _reflected(connection: Connection, tables: Sequence[Table]) -> dict[str, _Reflected]:
    """The tables that are there, by their keys in the metadata."""
    seen = inspect(connection)
    found: dict[str, _Reflected] = {}
    for schema, those in _by_schema(connection, tables).items():
        found |= _reflected_in(seen, schema, those)
    return found


def _reflected_in(
    seen: Inspector, schema: str | None, tables: Sequence[Table]
) -> dict[str, _Reflected]:
    options: dict[str, Any] = {
        "schema": schema,
        "filter_names": [table.name for table in tables],
        "kind": ObjectKind.ANY,
    }
    columns = seen.get_multi_columns(**options)
    keys = seen.get_multi_pk_constraint(**options)
    uniques = seen.get_multi_unique_constraints(**options)
    # Only these have any that matter, and SQLAlchemy 2.0 asks no other for them.
    has_options = seen.dialect.name in ("mysql", "mariadb")
    of_tables = seen.get_multi_table_options(**options) if has_options else {}
    # SQLite keeps what is unique by the definition of its column in an index that it hides.
    if seen.dialect.name == "sqlite":
        options["include_auto_indexes"] = True
    indexes = seen.get_multi_indexes(**options)
    return {
        table.key: _Reflected(
            columns[name],
            keys.get(name),
            uniques.get(name) or (),
            indexes.get(name) or (),
            of_tables.get(name) or {},
        )
        for table in tables
        if (name := (schema, table.name)) in columns
    }


def _by_schema(
    connection: Connection, tables: Sequence[Table]
) -> Mapping[str | None, Sequence[Table]]:
    options = connection.get_execution_options()
    renamed: Mapping[str | None, str | None] = options.get("schema_translate_map") or {}
    found: dict[str | None, list[Table]] = defaultdict(list)
    for table in tables:
        found[renamed.get(table.schema, table.schema)].append(table)
    return found


def _missing_table(table: Table) -> SchemaDifference:
    return SchemaDifference(table.name, None, "the table is missing")


def _missing_columns(table: Table, there: _Reflected) -> Iterator[SchemaDifference]:
    for column in table.columns:
        if column.name not in there.columns:
            yield SchemaDifference(table.name, column.name, "the column is missing")


def _unfit_columns(table: Table, there: _Reflected, dialect: Dialect) -> Iterator[SchemaDifference]:
    for column in table.columns:
        found = there.columns.get(column.name)
        why = None if found is None else _unfit(column, found, dialect)
        if why is not None:
            yield SchemaDifference(table.name, column.name, why)


def _unfit(column: TableColumn, there: Reflected, dialect: Dialect) -> str | None:
    if why := mismatch(column.type, there["type"], dialect):
        needed, found = shown(column.type, dialect), shown(there["type"], dialect)
        return f"{found} {why}: it has to be {needed}"
    if column.nullable and not there["nullable"]:
        return "it is NOT NULL, and NULL is written into it"
    return None


def _unknown_columns(table: Table, there: _Reflected) -> Iterator[SchemaDifference]:
    """Without a value for such a column, no row can be written."""
    for name in there.columns.keys() - {column.name for column in table.columns}:
        column = there.columns[name]
        filled = ("default", "identity", "computed")
        if not column["nullable"] and not any(column.get(key) for key in filled):
            why = "it is NOT NULL without a default, and the models do not know it"
            yield SchemaDifference(table.name, name, why)


def _missing_indexes(table: Table, there: _Reflected) -> Iterator[SchemaDifference]:
    for names in _declared(table, is_unique=True):
        if not _is_among(names, there.unique):
            yield _missing_index(table, names, "unique index")
    for names in _declared(table, is_unique=False):
        if not any(names == index[: len(names)] for index in there.indexed):
            yield _missing_index(table, names, "index")


def _missing_index(table: Table, names: _Names, kind: str) -> SchemaDifference:
    listed = ", ".join(names)
    return SchemaDifference(table.name, names[0], f"the {kind} on ({listed}) is missing")


def _is_among(names: _Names, unique: Collection[_Names]) -> bool:
    return set(names) in [set(each) for each in unique]


def _declared(table: Table, *, is_unique: bool) -> Iterator[_Names]:
    """The columns of the indexes, in the order of their names; expressions are not compared."""
    for index in sorted(table.indexes, key=lambda index: str(index.name)):
        if bool(index.unique) == is_unique and _is_plain(index):
            yield tuple(column.name for column in index.columns)
    if is_unique:
        for constraint in table.constraints:
            if isinstance(constraint, UniqueConstraint):
                yield tuple(column.name for column in constraint.columns)


def _is_plain(index: Index) -> bool:
    options: Mapping[str, object] = index.dialect_kwargs
    is_partial = any(name.endswith("_where") and options[name] is not None for name in options)
    return not is_partial and all(isinstance(each, Column) for each in index.expressions)


def _is_partial(index: Reflected) -> bool:
    options: Mapping[str, object] = index.get("dialect_options") or {}
    return any(name.endswith("_where") for name in options)


def _inherit_collation(columns: Iterable[Reflected], options: Reflected) -> None:
    """MySQL and MariaDB tell the collation of a column only if it is not that of its table."""
    inherited = options.get("mysql_collate") or options.get("mariadb_collate")
    for column in columns:
        if isinstance(column["type"], String) and column["type"].collation is None:
            column["type"].collation = inherited


def _names(index: Reflected) -> _Names:
    return tuple(name or "" for name in index["column_names"])
