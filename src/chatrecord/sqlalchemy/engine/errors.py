"""From what SQLAlchemy and the drivers raise to our error."""

from __future__ import annotations

from sqlalchemy.exc import DataError, DBAPIError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolExhausted

from chatrecord.errors import DatabaseFailed
from chatrecord.text.redaction import named, redact, text_of

from .error_codes import Nature, nature_of
from .pooler_hints import hint_for

_ENLARGE = "Close those that are no longer used, or give the engine a larger pool_size="
_MIGRATE = "or run your migrations"
_SCHEMA = {
    "42P01": f"Create the tables first: await db.create_tables(), {_MIGRATE}",
    "42703": f"The tables are of another version: create them again, {_MIGRATE}",
}
_SCHEMA |= {"1146": _SCHEMA["42P01"], "no such table": _SCHEMA["42P01"]}
_SCHEMA |= {"1054": _SCHEMA["42703"], "no such column": _SCHEMA["42703"]}
_SCHEMA |= {"has no column": _SCHEMA["42703"]}
"""What helps, by SQLSTATE and error number; SQLite has no code for either."""
_NOT_NULL = ("23502", "1048", "1364", "SQLITE_CONSTRAINT_NOTNULL")
_STALE_PLAN = ("InvalidCachedStatementError", "cached plan must not change result type")
"""PostgreSQL has one code for all that it does not support, and for a plan that a migration has
made stale: a new one works."""

_CLOSED = ("closed", "no active connection", "not connected", "another operation")
"""What drivers say, without a code, of a connection that was lost or cut off in mid-statement."""

_TURNED_AWAY = (
    "does not exist", "authentication failed", "no pg_hba.conf entry", "no password supplied",
    "not permitted to log in", "does not support ssl", "rejected ssl upgrade", "sslmode",
)  # fmt: skip
"""What a server says before there is a connection: libpq hands its words on, and no code."""

_BEFORE = {Nature.LOST: Nature.UNDONE, Nature.REFUSED: Nature.LASTING}
"""What an error means before there is a transaction."""

_DRIVERS = frozenset(("aiosqlite", "asyncmy", "asyncpg", "psycopg", "pymysql", "sqlite3"))
_OF_VALUES = (ValueError, TypeError, OverflowError, RecursionError)
"""What drivers and our column types raise for a value that cannot be sent."""


def is_of_database(error: Exception) -> bool:
    """Whether a database has failed: drivers' errors come through SQLAlchemy, and at times bare."""
    return isinstance(error, (SQLAlchemyError, OSError, *_OF_VALUES)) or _is_bare(error)


def _is_bare(error: Exception) -> bool:
    return type(error).__module__.partition(".")[0] in _DRIVERS


def failed(error: Exception, *, has_begun: bool = True) -> DatabaseFailed:
    """What went wrong, without the statement, its parameters, and what the row would have held.

    Before a transaction `has_begun`, nothing can have been written or refused.
    """
    if isinstance(error, PoolExhausted):
        msg = f"No connection to the database was free. {_ENLARGE}"
        return DatabaseFailed(msg, may_pass=True, undone=True)
    cause = getattr(error, "orig", None) or error
    nature = _nature(error, cause)
    if not has_begun:
        nature = _BEFORE.get(nature, nature)
    return DatabaseFailed(
        _message(error, cause, nature),
        may_pass=nature in (Nature.UNDONE, Nature.LOST),
        undone=nature is Nature.UNDONE,
        refused_value=nature is Nature.REFUSED,
    )


def _message(error: Exception, cause: BaseException, nature: Nature) -> str:
    is_known = isinstance(error, DBAPIError | OSError) or _is_bare(error)
    if not is_known or isinstance(error, DataError) or nature is Nature.REFUSED:
        return f"The database refused a value: {type(cause).__name__}{_code_of(cause)}"
    reason = (text_of(cause).splitlines() or [""])[0]
    message = redact(f"The database failed: {type(cause).__name__}: {reason}")
    if nature is Nature.LASTING and (schema := _schema_hint(cause)):
        message += f". {schema}"
    if hint := hint_for(error):
        message += f". {hint}"
    return message


def _code_of(cause: BaseException) -> str:
    """What tells the cause without a word of the row: drivers quote the value that is refused."""
    number = cause.args[0] if cause.args else None
    if isinstance(number, int):
        return f" (error {number})"
    if isinstance(sqlstate := getattr(cause, "sqlstate", None), str):
        return f" (SQLSTATE {sqlstate})"
    name = getattr(cause, "sqlite_errorname", None)
    return f" ({name})" if name else ""


def is_of_schema(error: BaseException) -> bool:
    """Whether a table or a column is not there, or does not take a NULL.

    The library writes NULL only where its models allow it.
    """
    cause = getattr(error, "orig", None) or error
    return _schema_hint(cause) is not None or _code(cause) in _NOT_NULL


def _schema_hint(cause: BaseException) -> str | None:
    code = _code(cause)
    said = text_of(cause)
    signs = (sign for sign in _SCHEMA if sign == code or (" " in sign and sign in said))
    return _SCHEMA.get(next(signs, ""))


def _code(cause: BaseException) -> str:
    """The SQLSTATE, the error number, or SQLite's name of the error."""
    number = cause.args[0] if cause.args else None
    if isinstance(number, int):
        return str(number)
    return str(getattr(cause, "sqlstate", None) or getattr(cause, "sqlite_errorname", None))


def _nature(error: Exception, cause: BaseException) -> Nature:
    has_code = nature_of(cause) is not None
    if not has_code and any(sign in text_of(cause).lower() for sign in _TURNED_AWAY):
        return Nature.LASTING
    if getattr(error, "connection_invalidated", False) or isinstance(cause, OSError):
        return Nature.LOST
    if any(sign in named(cause) for sign in _STALE_PLAN):
        return Nature.UNDONE
    known = nature_of(cause)
    return _without_code(error, cause) if known is None else known


def _without_code(error: Exception, cause: BaseException) -> Nature:
    if any(sign in text_of(cause).lower() for sign in _CLOSED):
        return Nature.LOST
    if isinstance(cause, _OF_VALUES) or isinstance(cause.__cause__, _OF_VALUES):
        return Nature.REFUSED
    if isinstance(error, InterfaceError | OperationalError):
        return Nature.LOST  # the drivers' own, of a server that they do not reach
    return Nature.REFUSED if isinstance(error, DBAPIError) else Nature.LASTING
