"""A whole transaction in the thread of its connection to SQLite: one change of threads.

aiosqlite has a thread for each connection, and each call changes to it and back, which takes longer
than most statements. Where somebody listens to transactions, each statement goes there by itself.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Sequence
from typing import Any, TypeVar, cast

from sqlalchemy import Executable
from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from .direct import Found, may_be_one_call, result_of, rows_of
from .one_call import Failed, NoPlan, Work
from .plans import Parameters, Plan, Plans

Result = TypeVar("Result")

AT_REST = "chatrecord_at_rest"
"""Marks a pooled connection that has just ended its transaction."""


class InThread:
    """Does work in the threads of an engine's connections."""

    def __init__(self, engine: AsyncEngine, plans: Plans) -> None:
        self._engine = engine
        self._plans = plans

    @property
    def is_possible(self) -> bool:
        """Whether it can, as far as the engine tells."""
        return self._engine.dialect.driver == "aiosqlite" and may_be_one_call(self._engine)

    async def done(self, connection: Connection, work: Work[Result], *, writes: bool) -> Result:
        """Do it in a transaction. Raises `NoPlan`, and leaves nothing, where it cannot be done."""
        pooled: Any = connection.connection
        thread = _Thread(work, self._plans, writes=writes)
        try:
            result = await pooled.driver_connection._execute(thread.run, pooled.driver_connection)
        except asyncio.CancelledError:
            thread.is_abandoned = True
            raise
        pooled.info[AT_REST] = True
        return cast(Result, result)


class _Thread:
    """One transaction, as the thread runs it."""

    def __init__(self, work: Work[Any], plans: Plans, *, writes: bool) -> None:
        self._work = work
        self._plans = plans
        self._writes = writes
        self.is_abandoned = False
        """Nobody waits for it any more, so that it is not committed."""

    def run(self, driver: Any) -> Any:
        sqlite: sqlite3.Connection = driver._conn
        if not self._writes:
            return self._result(sqlite)
        is_begun = not sqlite.in_transaction
        if is_begun:
            _tried("BEGIN IMMEDIATE", sqlite)
        try:
            result = self._result(sqlite)
            if self.is_abandoned:
                sqlite.rollback()
            elif is_begun:
                _tried("COMMIT", sqlite)
            else:
                sqlite.commit()
        except BaseException:
            sqlite.rollback()
            raise
        return result

    def _result(self, sqlite: sqlite3.Connection) -> Any:
        connection = cast(AsyncConnection, _ConnectionInThread(sqlite, self._plans))
        steps = self._work(connection).__await__()
        try:
            next(steps)
        except StopIteration as end:
            return end.value
        msg = "The work of this transaction waits for something else than its statements"
        raise RuntimeError(msg)


class _ConnectionInThread:
    """Executes statements at once."""

    def __init__(self, sqlite: sqlite3.Connection, plans: Plans) -> None:
        self._sqlite = sqlite
        self._plans = plans
        self.dialect = plans.dialect

    async def execute(
        self, statement: Executable, parameters: Parameters | Sequence[Parameters] | None = None
    ) -> Found:
        many = rows_of(parameters)
        plan = self._plans.made(statement, many[0]) if many else None
        if plan is None:
            raise NoPlan
        try:
            bound = [plan.bound(given) for given in many]
        except Exception as error:
            raise Failed(plan.sql, None, error) from error
        return self._executed(plan, bound)

    def _executed(self, plan: Plan, bound: list[Any]) -> Found:
        try:
            if len(bound) > 1:
                cursor = self._sqlite.executemany(plan.sql, bound)
            else:
                cursor = self._sqlite.execute(plan.sql, bound[0])
            rows = cursor.fetchall() if plan.width else ()
        except sqlite3.Error as error:
            raise Failed(plan.sql, bound[0] if len(bound) == 1 else bound, error) from error
        return result_of(plan, rows, [None] * plan.width, cursor.rowcount)


def _tried(sql: str, sqlite: sqlite3.Connection) -> None:
    try:
        sqlite.execute(sql)
    except sqlite3.Error as error:
        raise Failed(sql, None, error) from error
