"""The tables, created by one process at a time: others wait, and find them there.

A table of an earlier version gets the columns that were added since: each may be NULL.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from time import monotonic
from typing import TypeVar

from sqlalchemy import Connection, Table, inspect
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.schema import CreateColumn

from chatrecord.errors import DatabaseFailed
from chatrecord.sqlalchemy.engine.connections import Connections
from chatrecord.sqlalchemy.engine.snapshot import begin_on_sqlite
from chatrecord.sqlalchemy.generics import TableColumn
from chatrecord.sqlalchemy.types import is_mysql
from chatrecord.store.retries import pauses

Result = TypeVar("Result")

ADVISORY_LOCK = 7_161_392_745_029_384
"""The key of the lock on PostgreSQL."""

_NAMED_LOCK = "CONCAT('chatrecord.tables.', SHA1(COALESCE(DATABASE(), '')))"
"""That on MySQL and MariaDB, whose names are shared by all databases of a server."""

_PAUSE = 0.05
"""Seconds between two looks at whether another process has ended."""

_LONGEST = 60.0
"""Seconds for which another process may hold the lock."""

_THERE_ALREADY = frozenset(
    ("42P07", "42710", "42P06", "42701", "23505", "XX000", 1005, 1022, 1050, 1060, 1061, 1826)
)
"""Error codes for what another process has just created: a table, a column, an index or a type."""


_SAID_OF_IT = ("already exists", "duplicate column")


async def create_tables(
    connections: Connections, tables: Sequence[Table], later: Sequence[TableColumn] = ()
) -> None:
    """Create those of these tables, and of their `later` columns, that are missing.

    Who creates them without this lock, such as the rest of an application, may be faster, too.
    """
    began = monotonic()
    async for _ in pauses():
        try:
            return await in_turn(connections, partial(_create, tables=tables, later=later))
        except DatabaseFailed as error:
            is_over = monotonic() - began >= connections.patience
            if is_over or not (error.may_pass or _is_there_already(error.__cause__)):
                raise
    raise AssertionError  # the pauses never end


def with_referred(tables: Sequence[Table]) -> list[Table]:
    """These tables, and the tables that they reference."""
    found: dict[str, Table] = {}
    waiting = list(tables)
    while waiting:
        table = waiting.pop()
        if table.key not in found:
            found[table.key] = table
            waiting.extend(key.column.table for key in table.foreign_keys)
    return list(found.values())


async def in_turn(
    connections: Connections, work: Callable[[AsyncConnection], Awaitable[Result]]
) -> Result:
    """Change the tables in a transaction that one process at a time has. Others wait for it."""
    began = monotonic()
    while True:
        beginning = connections.rebuilding_transaction()
        async with beginning as connection, _locked(connection) as is_ours:
            if is_ours:
                return await work(connection)
        if monotonic() - began > _LONGEST:
            msg = f"Another process has been creating the tables for {_LONGEST:g} s: end it"
            raise DatabaseFailed(msg)
        await asyncio.sleep(_PAUSE)


async def _create(
    connection: AsyncConnection, *, tables: Sequence[Table], later: Sequence[TableColumn]
) -> None:
    await connection.run_sync(tables[0].metadata.create_all, tables=tables)
    await connection.run_sync(_add_missing, later)


def _add_missing(connection: Connection, columns: Sequence[TableColumn]) -> None:
    renamed = connection.get_execution_options().get("schema_translate_map") or {}
    preparer = connection.dialect.identifier_preparer
    for column in columns:
        table = column.table
        schema = renamed.get(table.schema, table.schema)
        known = inspect(connection).get_columns(table.name, schema=schema)
        if column.name not in {each["name"] for each in known}:
            name = preparer.quote(table.name)
            if schema is not None:
                name = f"{preparer.quote_schema(schema)}.{name}"
            declared = CreateColumn(column).compile(dialect=connection.dialect)
            connection.exec_driver_sql(f"ALTER TABLE {name} ADD COLUMN {declared}")


@asynccontextmanager
async def _locked(connection: AsyncConnection) -> AsyncIterator[bool]:
    if is_mysql(connection.dialect):
        async with _locked_by_name(connection) as is_ours:
            yield is_ours
        return
    if connection.dialect.name == "postgresql":
        lock = f"SELECT pg_try_advisory_xact_lock({ADVISORY_LOCK})"
        yield bool((await connection.exec_driver_sql(lock)).scalar_one())
        return
    if connection.dialect.name == "sqlite":
        await begin_on_sqlite(connection, "BEGIN IMMEDIATE")
    yield True


@asynccontextmanager
async def _locked_by_name(connection: AsyncConnection) -> AsyncIterator[bool]:
    """A lock that outlives transactions, as there is none around the creation of a table."""
    try:
        taken = await connection.exec_driver_sql(f"SELECT GET_LOCK({_NAMED_LOCK}, 0)")
        is_ours, is_locked = bool(taken.scalar_one()), True
    except DBAPIError:  # some clusters have no such locks
        is_ours, is_locked = True, False
    try:
        yield is_ours
    finally:
        if is_ours and is_locked:
            with suppress(SQLAlchemyError):  # it went with its connection
                await connection.exec_driver_sql(f"SELECT RELEASE_LOCK({_NAMED_LOCK})")


def _is_there_already(error: BaseException | None) -> bool:
    cause: object = getattr(error, "orig", None)
    code = getattr(cause, "sqlstate", None) or next(iter(getattr(cause, "args", ())), None)
    return code in _THERE_ALREADY or any(said in str(cause) for said in _SAID_OF_IT)
