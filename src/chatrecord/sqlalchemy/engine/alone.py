"""Statements that are transactions of their own: one round trip, without BEGIN and COMMIT.

PostgreSQL commits a statement that is sent outside of a transaction. Where somebody listens to
transactions, or has chosen their isolation, they are begun and committed as ever.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any, TypeVar, cast

from sqlalchemy import Executable
from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from .direct import Found, may_be_one_call, result_of, rows_of
from .one_call import Failed, NoPlan, Work
from .plans import Parameters, Plan, Plans

Result = TypeVar("Result")
Sender = Callable[[Any, Plan, Any], Awaitable[Found]]


class Alone:
    """Whether statements of an engine can be transactions of their own."""

    def __init__(self, engine: AsyncEngine, plans: Plans) -> None:
        self._engine = engine
        self._plans = plans
        has_isolation = engine.dialect._on_connect_isolation_level is not None
        self._send = None if has_isolation else _SENDERS.get(engine.dialect.driver)

    @property
    def is_possible(self) -> bool:
        """Whether they can, as far as the engine tells."""
        return self._send is not None and may_be_one_call(self._engine)

    async def done(self, connection: Connection, work: Work[Result]) -> Result:
        """Do this with such statements. Raises `NoPlan` where that is impossible."""
        if self._send is None:  # another task has found that out, since this one asked
            raise NoPlan
        try:
            alone = _ConnectionAlone(connection, self._plans, self._send)
            return await work(cast(AsyncConnection, alone))
        except _UnnamedError as error:
            self._send = None
            raise NoPlan from error


class _UnnamedError(Exception):
    """The driver prepares statements without names, for a pooler.

    Outside of a transaction, a pooler may hand each round trip to another session, which does not
    know what was prepared in the one before.
    """


class _ConnectionAlone:
    """Executes each statement as a transaction."""

    def __init__(self, connection: Connection, plans: Plans, send: Sender) -> None:
        self._connection = connection
        self._plans = plans
        self._send = send
        self.dialect = connection.dialect

    async def execute(
        self, statement: Executable, parameters: Parameters | Sequence[Parameters] | None = None
    ) -> Found:
        (given,) = rows_of(parameters)
        plan = self._plans.find(statement, given)
        if plan is None:
            raise NoPlan
        bound = None
        try:
            bound = plan.bound(given)
            return await self._send(self._connection, plan, bound)
        except (NoPlan, _UnnamedError):
            raise
        except Exception as error:
            raise Failed(plan.sql, bound, error) from error


async def _by_asyncpg(connection: Connection, plan: Plan, bound: Sequence[Any]) -> Found:
    adapted: Any = connection.connection.dbapi_connection
    dialect: Any = connection.dialect
    try:
        prepared, columns = await adapted._prepare(plan.sql, dialect._invalidate_schema_cache_asof)
        rows = await prepared.fetch(*bound) if prepared.get_name() else None
    except Exception as error:  # noqa: BLE001 - becomes the error that SQLAlchemy knows
        adapted._handle_exception(error)
    if rows is None:
        raise _UnnamedError
    codes = [column.type.oid for column in columns] if plan.width else ()
    return result_of(plan, rows, codes, _changed(prepared.get_statusmsg()))


def _changed(status: str) -> int:
    """How many rows a statement has changed, by what PostgreSQL says of it: `UPDATE 3`."""
    number = status.rpartition(" ")[-1]
    return int(number) if number.isdigit() else -1


async def _by_psycopg(connection: Connection, plan: Plan, bound: Any) -> Found:
    driver: Any = connection.connection.driver_connection
    await driver.set_autocommit(True)
    try:
        cursor = await driver.execute(plan.sql, bound)
        rows = await cursor.fetchall() if plan.width else ()
    except BaseException:
        with suppress(connection.dialect.loaded_dbapi.Error):  # it is lost, and not used again
            await driver.set_autocommit(False)
        raise
    await driver.set_autocommit(False)
    codes = [column.type_code for column in cursor.description or ()]
    return result_of(plan, rows, codes, cursor.rowcount)


_SENDERS: dict[str, Sender] = {"asyncpg": _by_asyncpg, "psycopg": _by_psycopg}
