"""Work with a connection in one go: it is taken from the pool, used, and given back.

SQLAlchemy's asynchronous connections change to a greenlet for each of these, and give back in a
task of their own. Here that is done only after what has failed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NoReturn, TypeAlias, TypeVar, cast

from sqlalchemy.engine import Connection, Engine
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.util import await_only, greenlet_spawn

from .direct import forget_what_is_stale
from .driver_options import told_of_options
from .interruptions import to_the_end

Result = TypeVar("Result")

Work: TypeAlias = Callable[[AsyncConnection], Awaitable[Result]]
"""What a transaction does that waits for nothing but its statements."""

Reading: TypeAlias = Callable[[AsyncConnection, Sequence[Any]], Awaitable[Result]]
"""What is read after a change, by what that has returned."""

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


async def one_call(engine: AsyncEngine, call: Call[Result], *, is_only: bool) -> Result:
    """Do this with a connection. Errors of the driver are SQLAlchemy's own.

    If it is the only connection, it is given back before this returns or raises, come what may.
    """
    result, left = await greenlet_spawn(_called, engine.sync_engine, call, is_only)
    if left is not None:
        settling = greenlet_spawn(left.settled)
        error = await (
            to_the_end(settling) if is_only else asyncio.shield(asyncio.create_task(settling))
        )
        if error is not None:
            raise error
    return cast(Result, result)


def _called(
    engine: Engine, call: Call[Result], is_only: bool
) -> tuple[Result | None, _Left | None]:
    try:
        with told_of_options():
            connection = engine.connect()
    except Exception as error:
        raise NotConnected(error) from error
    try:
        result: Result = await_only(call(connection))
    except BaseException as error:  # noqa: BLE001 - raised once the connection is settled
        return None, _Left(connection, error)
    if is_only:
        return result, _Left(connection)
    connection.close()
    return result, None


class _Left:
    """A connection that is yet to be given back, and what was raised over it."""

    def __init__(self, connection: Connection, error: BaseException | None = None) -> None:
        self._connection = connection
        self._error = error

    def settled(self) -> BaseException | None:
        """Give it back or close it. Returns what is to be raised."""
        try:
            if self._error is not None:
                self._raise(self._error)
        except BaseException as error:  # noqa: BLE001 - it is raised by whoever waits for this
            return error
        finally:
            self._connection.close()
        return None

    def _raise(self, error: BaseException) -> NoReturn:
        sql, bound = None, None
        if isinstance(error, Failed):
            sql, bound, error = error.sql, error.bound, error.error
            forget_what_is_stale(self._connection.dialect, error)
        elif isinstance(error, Exception):
            raise error
        try:
            raise error  # noqa: TRY301 - SQLAlchemy raises what is being handled
        except BaseException as raised:  # noqa: BLE001 - as above
            self._connection._handle_dbapi_exception(raised, sql, bound, None, None)
