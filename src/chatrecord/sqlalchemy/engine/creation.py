"""The engine of a URL, as chats need it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Any

from sqlalchemy import URL, Engine, event, make_url
from sqlalchemy.exc import ArgumentError, InvalidRequestError, NoSuchModuleError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool, PoolResetState

from chatrecord.errors import ConfigurationError

from .driver_options import taken_out
from .exclusive import is_in_memory
from .in_thread import AT_REST
from .pre_ping import pre_ping_idle

_DRIVERS = {
    "sqlite": "sqlite+aiosqlite",
    "postgresql": "postgresql+asyncpg",
    "postgres": "postgresql+asyncpg",
    "mysql": "mysql+asyncmy",
    "mariadb": "mariadb+asyncmy",
}
_EXTRAS = {"asyncpg": "postgres", "psycopg": "psycopg", "asyncmy": "mysql"}
_PRAGMAS = (
    # SQLite logs whole pages: a row of a turn changes a page of its table and one of each index.
    # Only a new file takes this.
    "page_size=1024",
    "journal_mode=WAL",
    "synchronous=NORMAL",
    "foreign_keys=ON",
    "wal_autocheckpoint=4000",  # pages: as many bytes as by default
)


def engine_of(given: str | URL | AsyncEngine, patience: timedelta) -> AsyncEngine:
    """The engine of a URL, set up for chats, or one of the user's as it is.

    Raises `ConfigurationError` for a URL that cannot work.
    """
    if isinstance(given, AsyncEngine):
        return given
    url = _with_driver(given)
    try:
        return _engine_for(url, patience)
    except NoSuchModuleError as error:
        msg = f"SQLAlchemy knows no database {url.drivername!r}: use SQLite, PostgreSQL or MySQL"
        raise ConfigurationError(msg) from error
    except ModuleNotFoundError as error:
        extra = _EXTRAS.get(url.get_driver_name())
        fix = f'pip install "chatrecord[{extra}]"' if extra else _use_instead(url)
        msg = f"The driver of {url.drivername} is not installed: {fix}"
        raise ConfigurationError(msg) from error
    except (InvalidRequestError, ArgumentError) as error:
        msg = f"{url.drivername} cannot be used here: {_use_instead(url)}"
        raise ConfigurationError(msg) from error


def _use_instead(url: URL) -> str:
    backend = url.get_backend_name()
    plain = backend if backend in _DRIVERS else "postgresql, mysql, mariadb or sqlite"
    return f"use a bare {plain}: URL, which gets an asynchronous driver"


def _engine_for(url: URL, patience: timedelta) -> AsyncEngine:
    url, options = taken_out(url)
    if url.get_backend_name() != "sqlite":
        resets = url.get_backend_name() in ("mysql", "mariadb")
        reset: dict[str, Any] = {"pool_reset_on_return": None} if resets else {}
        # The connection that was used last has statements prepared, and was not idle for long:
        # taken in turns, each would be tried first, which takes longer than a flush.
        engine = create_async_engine(
            url, hide_parameters=True, connect_args=options, pool_use_lifo=True, **reset
        )
        if resets:
            event.listen(engine.sync_engine, "reset", _reset)
        pre_ping_idle(engine)
        return engine
    pool = _pool_of_sqlite(url)
    engine = create_async_engine(
        url, hide_parameters=True, connect_args=options, pool_reset_on_return=None, **pool
    )
    event.listen(engine.sync_engine, "reset", _reset)
    pragmas = list(_PRAGMAS)
    if "timeout" not in options:  # who waits for a lock waits no longer than for all else
        pragmas.append(f"busy_timeout={round(patience.total_seconds() * 1000)}")
    event.listen(engine.sync_engine, "connect", partial(_set, pragmas))
    return engine


def _with_driver(given: str | URL) -> URL:
    if isinstance(given, Engine):
        msg = "That engine is synchronous: make it with create_async_engine, or pass its URL"
        raise ConfigurationError(msg)
    try:
        url = make_url(given)
    except (ArgumentError, ValueError) as error:  # a port that is no number is a ValueError
        msg = "That is no database URL. One looks like sqlite:///chats.db"
        raise ConfigurationError(msg) from error
    if url.get_backend_name() == "sqlite" and url.host is not None:
        msg = f"The URL of a SQLite file has three slashes: sqlite:///{url.host}"
        raise ConfigurationError(msg)
    return url.set(drivername=_DRIVERS.get(url.drivername, url.drivername))


def _pool_of_sqlite(url: URL) -> dict[str, object]:
    """A database in memory lives in its one connection, which transactions then take in turn."""
    if is_in_memory(url):
        return {"poolclass": AsyncAdaptedQueuePool, "pool_size": 1, "max_overflow": 0}
    return {}


def _set(pragmas: Sequence[str], connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    for pragma in pragmas:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _reset(connection: Any, record: Any, state: PoolResetState) -> None:
    """Roll back, as the pool would, except where it is known that nothing is under way."""
    is_at_rest = record is not None and record.info.pop(AT_REST, False)
    if state.asyncio_safe and not state.transaction_was_reset and not is_at_rest:
        connection.rollback()
