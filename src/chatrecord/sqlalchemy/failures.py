"""From what SQLAlchemy and the drivers raise to our error."""

from __future__ import annotations

from sqlalchemy.exc import DataError, DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolExhausted

from chatrecord.errors import DatabaseFailed
from chatrecord.redaction import redact

_ENLARGE = "Close those that are no longer used, or give the engine a larger pool_size="
_NO_TABLE = ("no such table", "UndefinedTable", "doesn't exist")
_PASSING = (
    "deadlock", "lock wait timeout", "database is locked", "serializ", "connection", "gone away",
    "closed", "terminating", "shutting down", "starting up", "another operation",
)  # fmt: skip
"""What drivers say of a failure that need not come again."""


_DRIVERS = frozenset(("aiosqlite", "asyncmy", "asyncpg", "psycopg", "pymysql", "sqlite3"))


def is_of_database(error: Exception) -> bool:
    """Whether a database has failed: drivers' errors come through SQLAlchemy, and at times bare."""
    if isinstance(error, SQLAlchemyError | OSError | ValueError | TypeError):
        return True  # the last two as drivers refuse values
    return _is_bare(error)


def _is_bare(error: Exception) -> bool:
    return type(error).__module__.partition(".")[0] in _DRIVERS


def failed(error: Exception) -> DatabaseFailed:
    """What went wrong, without the statement, its parameters, and what the row would have held."""
    if isinstance(error, PoolExhausted):
        return DatabaseFailed(f"No connection to the database was free. {_ENLARGE}", may_pass=True)
    told = getattr(error, "orig", None) or error
    is_told = isinstance(error, DBAPIError | OSError) or _is_bare(error)
    if not is_told or isinstance(error, DataError):
        return DatabaseFailed(f"The database refused a value: {type(told).__name__}")
    reason = (str(told).splitlines() or [""])[0]
    message = redact(f"The database failed: {type(told).__name__}: {reason}")
    if any(sign in message for sign in _NO_TABLE):
        message += ". Create the tables first: await db.create_tables(), or run your migrations"
    return DatabaseFailed(message, may_pass=_may_pass(error, message))


def _may_pass(error: Exception, message: str) -> bool:
    if isinstance(error, OSError) or getattr(error, "connection_invalidated", False):
        return True
    is_told = isinstance(error, DBAPIError) or _is_bare(error)
    return is_told and any(sign in message.lower() for sign in _PASSING)
