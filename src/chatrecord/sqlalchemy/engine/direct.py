"""Known statements sent straight to the driver.

SQLAlchemy stays the language of all statements, and owns their connections, transactions and
errors. What is left out is what it does around each execution: a context, a search in its cache,
events, and a result that can be everything. That took as long as all the rest of a turn. Where
somebody listens to executions, such as a tracer, the ordinary way is taken.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, TypeAlias, cast

from sqlalchemy import Dialect, Executable
from sqlalchemy.engine import Connection, IteratorResult
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.util import await_only, greenlet_spawn

from .plans import Parameters, Plan, Plans

_EXECUTIONS = (
    "before_execute",
    "after_execute",
    "before_cursor_execute",
    "after_cursor_execute",
)
_OF_EXECUTIONS = attrgetter(*_EXECUTIONS)
_OF_TRANSACTIONS = attrgetter(*_EXECUTIONS, "begin", "commit", "rollback")
"""Who listens to each of these."""
_DRIVERS = frozenset(("aiosqlite", "asyncpg", "psycopg", "asyncmy", "aiomysql"))

_OF_CONNECTIONS = frozenset(("isolation_level", "postgresql_readonly", "postgresql_deferrable"))
"""Options that are applied before anything is executed."""


class DirectResult(IteratorResult[Any]):
    """The rows that a statement returns, and how many have changed."""

    rowcount: int


@dataclass(frozen=True, slots=True)
class Changed:
    """How many rows a statement has changed that returns none."""

    rowcount: int


Found: TypeAlias = DirectResult | Changed


class DirectConnection:
    """A connection that executes the statements it knows without SQLAlchemy's ceremony."""

    def __init__(self, connection: AsyncConnection, plans: Plans) -> None:
        self._ordinary = connection
        self._plans = plans

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ordinary, name)

    async def execute(
        self, statement: Executable, parameters: Parameters | Sequence[Parameters] | None = None
    ) -> Any:
        """What `AsyncConnection.execute` does, by a plan where there is one."""
        many = rows_of(parameters)
        plan = self._plans.find(statement, many[0]) if many else None
        if plan is None:
            return await self._ordinary.execute(statement, cast(Any, parameters))
        connection = self._ordinary.sync_connection
        assert connection is not None
        return await greenlet_spawn(_executed, connection, plan, many)


def direct(engine: AsyncEngine, connection: AsyncConnection, plans: Plans) -> AsyncConnection:
    """The connection, by the short way where nobody listens to executions or has changed them."""
    if not may_be_direct(engine, connection):
        return connection
    return cast(AsyncConnection, DirectConnection(connection, plans))


def may_be_direct(engine: AsyncEngine, connection: AsyncConnection) -> bool:
    """Whether nobody listens to executions, or has changed them."""
    is_known = engine.dialect.driver in _DRIVERS
    return is_known and not _is_watched(engine, _OF_EXECUTIONS) and not _has_options(connection)


def may_be_one_call(engine: AsyncEngine) -> bool:
    """Whether nobody listens to transactions and what is in them, or has changed them."""
    has_options = bool(engine.sync_engine.get_execution_options())
    return not has_options and not _is_watched(engine, _OF_TRANSACTIONS)


def _is_watched(engine: AsyncEngine, listeners: Callable[[object], Sequence[object]]) -> bool:
    watched = engine.sync_engine
    return bool(watched.echo) or any(listeners(watched.dispatch))


def _has_options(connection: AsyncConnection) -> bool:
    """Whether it has options, such as a map of schemas, that an execution would follow."""
    sync_connection = connection.sync_connection
    options = sync_connection.get_execution_options() if sync_connection else {}
    return not _OF_CONNECTIONS.issuperset(options)


def rows_of(parameters: Parameters | Sequence[Parameters] | None) -> Sequence[Parameters]:
    """What is given for each row, of one as of many."""
    many: Any = parameters if isinstance(parameters, list) else [parameters or {}]
    return many  # type: ignore[no-any-return]


def _executed(connection: Connection, plan: Plan, many: Sequence[Parameters]) -> Found:
    """Send it. Errors are SQLAlchemy's own, which also sees to connections that are lost."""
    try:
        bound = [plan.bound(given) for given in many]
    except Exception as error:  # noqa: BLE001 - raised as a `StatementError`
        connection._handle_dbapi_exception(error, plan.sql, None, None, None)
    pooled: Any = connection.connection
    try:
        if connection.dialect.driver == "aiosqlite":
            return _by_aiosqlite(pooled.dbapi_connection, plan, bound)
        return _by_cursor(_cursor(pooled, connection.dialect), connection.dialect, plan, bound)
    except BaseException as error:
        if isinstance(error, Exception) and not _is_of_driver(error, connection.dialect):
            raise
        forget_what_is_stale(connection.dialect, error)
        sent = bound[0] if len(bound) == 1 else bound
        connection._handle_dbapi_exception(error, plan.sql, sent, None, None)


def _cursor(pooled: Any, dialect: Dialect) -> Any:
    """A cursor that knows when its dialect has forgotten what was prepared: see below."""
    cursor = pooled.cursor()
    if dialect.driver == "asyncpg":
        cursor._invalidate_schema_cache_asof = cast(Any, dialect)._invalidate_schema_cache_asof
    return cursor


def forget_what_is_stale(dialect: Dialect, error: BaseException) -> None:
    """After a migration, have each connection to asyncpg prepare its statements anew.

    SQLAlchemy does so in the context of an execution.
    """
    driver: Any = dialect.loaded_dbapi
    if dialect.driver == "asyncpg" and isinstance(
        error, (driver.InvalidCachedStatementError, driver.InternalServerError)
    ):
        cast(Any, dialect)._invalidate_schema_cache()


def _by_cursor(cursor: Any, dialect: Dialect, plan: Plan, bound: Sequence[Any]) -> Found:
    if len(bound) == 1:
        dialect.do_execute(cursor, plan.sql, bound[0])
    else:
        dialect.do_executemany(cursor, plan.sql, bound)
    rows = cursor.fetchall() if plan.width else ()
    codes = [column[1] for column in cursor.description or ()]
    changed = cursor.rowcount
    cursor.close()
    return result_of(plan, rows, codes, changed)


def _by_aiosqlite(adapted: Any, plan: Plan, bound: Sequence[Any]) -> Found:
    """Each call is a change of threads and back: one, where a cursor takes four."""
    driver = adapted.driver_connection
    try:
        if plan.width:
            rows = await_only(driver.execute_fetchall(plan.sql, bound[0]))
            return result_of(plan, rows, [None] * plan.width, -1)
        send = driver.execute if len(bound) == 1 else driver.executemany
        cursor = await_only(send(plan.sql, bound[0] if len(bound) == 1 else bound))
    except Exception as error:  # noqa: BLE001 - a `ValueError` of aiosqlite becomes SQLite's error
        adapted._handle_exception(error)
    return result_of(plan, (), (), cursor.rowcount)


def _is_of_driver(error: Exception, dialect: Dialect) -> bool:
    return isinstance(error, dialect.loaded_dbapi.Error)


def result_of(plan: Plan, rows: Any, codes: Sequence[object], changed: int) -> Found:
    """What a driver has returned, as a result. `codes` are the driver's types of the columns."""
    if not plan.width:
        return Changed(changed)
    result = DirectResult(plan.keys, plan.read(rows, codes))
    result.rowcount = changed
    return result
