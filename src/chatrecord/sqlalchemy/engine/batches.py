"""Several statements sent to MySQL or MariaDB at once, and committed if the first changed a row.

The drivers write values into the text of a statement, and the server takes several in one packet.
It stops at the first that fails. So a transaction takes two round trips, not one for each
statement, one for its commit, and one for the rollback by which a pool takes a connection back.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar, cast

from sqlalchemy import Executable
from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from chatrecord.sqlalchemy.sql.together import Step

from .connection_checks import is_checked
from .direct import Found, may_be_one_call, result_of, rows_of
from .in_thread import AT_REST
from .one_call import Failed, NoPlan, Work
from .plans import Parameters, Plan, Plans

_LARGEST = 250_000
"""Characters of a batch. What is larger is sent by itself, so that an error tells its size."""

_TAKES_ONE = ((1064,), (8130,))
"""What a server or a proxy answers that takes one statement in a packet: each by itself is good."""

Result = TypeVar("Result")


class Batches:
    """Transactions of an engine in few round trips."""

    def __init__(self, engine: AsyncEngine, plans: Plans) -> None:
        self._engine = engine
        self._plans = plans
        # A chosen isolation may be that each statement commits itself.
        self._is_refused = engine.dialect._on_connect_isolation_level is not None

    @property
    def is_possible(self) -> bool:
        """Whether it can, as far as the engine tells."""
        is_known = self._engine.dialect.driver == "asyncmy" and not self._is_refused
        return is_known and may_be_one_call(self._engine)

    async def done(
        self, connection: Connection, steps: Sequence[Step], then: Work[Result]
    ) -> Result | None:
        """Make these changes, of which the first is the guard; then do this, and commit.

        Returns `None`, and changes nothing, if the guard changes no row. Raises `NoPlan`, and sends
        nothing, where it cannot be done.
        """
        pooled: Any = connection.connection
        if not is_checked(pooled):
            raise NoPlan
        driver = pooled.driver_connection
        result = None
        if await self._has_changed(driver, steps):
            result = await then(cast(AsyncConnection, _ConnectionOfDriver(driver, self._plans)))
            await _ended(driver.commit)
        else:
            await _ended(driver.rollback)
        pooled.info[AT_REST] = True
        return result

    async def _has_changed(self, driver: Any, steps: Sequence[Step]) -> bool:
        cursor = driver.cursor()
        texts = [cursor.mogrify(*each) for step in steps for each in self._bound(step)]
        sql = ";\n".join(texts)
        if len(sql) > _LARGEST:
            raise NoPlan
        has_changed: bool | None = None
        try:
            await cursor.execute(sql)
            has_changed = cursor.rowcount > 0
            while await cursor.nextset():
                pass
            await cursor.close()
        except Exception as error:
            if error.args[:1] in _TAKES_ONE:
                self._is_refused = True
                raise NoPlan from error
            if has_changed is not False:  # such as that its chat is gone, which the guard has told
                raise Failed(sql, None, error) from error
        return bool(has_changed)

    def _bound(self, step: Step) -> list[tuple[str, Any]]:
        plan = self._plans.made(step.statement, step.rows[0])
        if plan is None:
            raise NoPlan
        try:
            return [(plan.sql, plan.bound(row)) for row in step.rows]
        except Exception as error:
            raise Failed(plan.sql, None, error) from error


async def _ended(end: Callable[[], Awaitable[None]]) -> None:
    try:
        await end()
    except Exception as error:
        raise Failed(end.__name__.upper(), None, error) from error


class _ConnectionOfDriver:
    """Executes statements in the transaction that a batch has begun."""

    def __init__(self, driver: Any, plans: Plans) -> None:
        self._driver = driver
        self._plans = plans
        self.dialect = plans.dialect

    async def execute(
        self, statement: Executable, parameters: Parameters | Sequence[Parameters] | None = None
    ) -> Found:
        (given,) = rows_of(parameters)
        plan = self._plans.made(statement, given)
        if plan is None:
            raise NoPlan
        bound = None
        try:
            bound = plan.bound(given)
            return await self._executed(plan, bound)
        except Exception as error:
            raise Failed(plan.sql, bound, error) from error

    async def _executed(self, plan: Plan, bound: Any) -> Found:
        cursor = self._driver.cursor()
        await cursor.execute(plan.sql, bound)
        rows = await cursor.fetchall() if plan.width else ()
        codes = [column[1] for column in cursor.description or ()]
        changed = cursor.rowcount
        await cursor.close()
        return result_of(plan, rows, codes, changed)
