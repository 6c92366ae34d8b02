"""Work with a connection in one go: it is taken from the pool, used, and given back.

SQLAlchemy's asynchronous connections change to a greenlet for each of these, and give back in a
task of their own. Here that is done only after what has failed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, NoReturn, TypeAlias, TypeVar, cast

from sqlalchemy.engine import Connection, Engine
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.util import await_only, greenlet_spawn

from .direct import forget_what_is_stale
from .driver_options import told_of_options

Result = TypeVar("Result")

Work: TypeAlias = Callable[[AsyncConnection], Awaitable[Result]]
"""What a transaction does that waits for nothing but its statements."""

Call: TypeAlias = Callable[[Connection], Awaitable[Result]]


class NotConnected(Exception):
    """There was no connection, and so nothing was done."""

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.error = error


class NoPlan(Exception):
    """There is a statement that only SQLAlchemy can execute. Nothing was done."""


class Failed(Exception):
    """A driver's error, or that of a value, with the statement."""

    def __init__(self, sql: str, bound: Any, error: Exception) -> None:
        super().__init__(sql)
        self.sql, self.bound, self.error = sql, bound, error


async def one_call(engine: AsyncEngine, call: Call[Result]) -> Result:
    """Do this with a connection. Errors of the driver are SQLAlchemy's own."""
    result, broken = await greenlet_spawn(_called, engine.sync_engine, call)
    if broken is not None:
        settling = asyncio.create_task(greenlet_spawn(broken.settled))
        raise await asyncio.shield(settling)
    return cast(Result, result)


def _called(engine: Engine, call: Call[Result]) -> tuple[Result | None, _Broken | None]:
    try:
        with told_of_options():
            connection = engine.connect()
    except Exception as error:
        raise NotConnected(error) from error
    try:
        result: Result = await_only(call(connection))
    except BaseException as error:  # noqa: BLE001 - raised once the connection is settled
        return None, _Broken(connection, error)
    connection.close()
    return result, None


class _Broken:
    """A connection over which something was raised."""

    def __init__(self, connection: Connection, error: BaseException) -> None:
        self._connection = connection
        self._error = error

    def settled(self) -> BaseException:
        """Give it back or close it. Returns what is to be raised."""
        try:
            self._raise()
        except BaseException as error:  # noqa: BLE001 - it is raised by whoever waits for this
            return error
        finally:
            self._connection.close()

    def _raise(self) -> NoReturn:
        error, sql, bound = self._error, None, None
        if isinstance(error, Failed):
            sql, bound, error = error.sql, error.bound, error.error
            forget_what_is_stale(self._connection.dialect, error)
        elif isinstance(error, Exception):
            raise error
        try:
            raise error  # noqa: TRY301 - SQLAlchemy raises what is being handled
        except BaseException as raised:  # noqa: BLE001 - as above
            self._connection._handle_dbapi_exception(raised, sql, bound, None, None)
