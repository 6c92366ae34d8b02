"""Moments by the clock of the database.

The clocks of machines differ. Of what processes agree on, such as the end of a lease, a process
therefore tells its database how far away it is, and the database adds that to the time of its own
clock, in the same statement. A database in a file has the clock of its machine.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, Dialect
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeEngine

from chatrecord.sqlalchemy.generics import Expression
from chatrecord.sqlalchemy.types import Processor, UtcDateTime, is_mysql
from chatrecord.store.times import MARKS, mark_of

_MILLISECOND = timedelta(milliseconds=1)
_MICROSECOND = timedelta(microseconds=1)


class _Distance(UtcDateTime):
    """A moment by the clock of this process, bound as its distance from now: whole milliseconds,
    and the mark of the moment.
    """

    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(postgresql.INTERVAL())
        if is_mysql(dialect):
            return dialect.type_descriptor(BigInteger())
        return super().load_dialect_impl(dialect)

    def bind_processor(self, dialect: Dialect) -> Processor | None:
        if dialect.name == "postgresql":
            return _distance
        if is_mysql(dialect):
            return _microseconds
        plain: Callable[[Any], Any] | None = super().bind_processor(dialect)
        return plain


class ByDatabaseClock(FunctionElement[datetime]):
    """That moment by the clock of the database."""

    inherit_cache = True
    type = UtcDateTime()


def by_database_clock(moment: Expression) -> ByDatabaseClock:
    """What is bound here is a moment by the clock of this process."""
    moment.type = _Distance()
    return ByDatabaseClock(moment)


@compiles(ByDatabaseClock)  # type: ignore[no-untyped-call, untyped-decorator, unused-ignore]
def _by_the_only_clock(element: ByDatabaseClock, compiler: Any, **kw: Any) -> str:
    moment: str = compiler.process(element.clauses, **kw)
    return moment


@compiles(ByDatabaseClock, "postgresql")  # type: ignore[no-untyped-call, untyped-decorator, unused-ignore]
def _by_postgresql(element: ByDatabaseClock, compiler: Any, **kw: Any) -> str:
    distance = compiler.process(element.clauses, **kw)
    return f"(date_trunc('milliseconds', statement_timestamp()) + {distance})"


@compiles(ByDatabaseClock, "mysql", "mariadb")  # type: ignore[no-untyped-call, untyped-decorator, unused-ignore]
def _by_mysql(element: ByDatabaseClock, compiler: Any, **kw: Any) -> str:
    distance = compiler.process(element.clauses, **kw)
    return f"(utc_timestamp(3) + INTERVAL {distance} MICROSECOND)"


def _distance(moment: datetime | None) -> timedelta | None:
    if moment is None:
        return None
    whole = (moment - datetime.now(UTC)) // _MILLISECOND
    return whole * _MILLISECOND + mark_of(moment) * _MICROSECOND


def _microseconds(moment: datetime | None) -> int | None:
    distance = _distance(moment)
    return None if distance is None else distance // _MICROSECOND


assert timedelta(microseconds=MARKS) == _MILLISECOND
