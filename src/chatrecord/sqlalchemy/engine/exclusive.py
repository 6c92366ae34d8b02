"""One transaction at a time, where a database or its pool has room for one only.

A pool with a single connection for all tasks, such as that of SQLite in memory: two
transactions on one connection are one transaction: the first end ends both. And whatever
writes to a file of SQLite: its lock has no queue, so that of many who try again now and then one
may wait for seconds while the others pass.
"""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any
from weakref import WeakValueDictionary

from sqlalchemy import URL
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.pool import AssertionPool, NullPool, QueuePool, StaticPool

from chatrecord.errors import ConfigurationError


class Exclusive:
    """What one transaction at a time holds. It serves one event loop after the other."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lock = asyncio.Lock()

    def taken(self) -> AbstractAsyncContextManager[None]:
        """Wait until no other task has a transaction on the connection."""
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._loop, self._lock = loop, asyncio.Lock()
        return self._lock


def taken(turn: Exclusive | None) -> AbstractAsyncContextManager[None]:
    """The turn as a context; nothing where there is none to take."""
    return nullcontext() if turn is None else turn.taken()


_known: WeakValueDictionary[object, Exclusive] = WeakValueDictionary()
"""By pool, or by the name of a database in memory that several pools share."""


def exclusive_of(engine: AsyncEngine) -> Exclusive | None:
    """What the transactions of this engine take in turn; `None` where each has a connection."""
    if _is_shared_cache(engine):
        return _known.setdefault(engine.url.database, Exclusive())
    if has_one_connection(engine):
        return _known.setdefault(engine.pool, Exclusive())
    return None


def exclusive_writing_of(engine: AsyncEngine) -> Exclusive | None:
    """What writes by this engine take in turn; `None` where the database has a queue."""
    if engine.dialect.name != "sqlite" or exclusive_of(engine) is not None:
        return None
    return _known.setdefault(engine.pool, Exclusive())


def has_one_connection(engine: AsyncEngine) -> bool:
    """Whether the pool gives the same connection to all tasks, or, on SQLite, has only one."""
    pool: Any = engine.pool
    if isinstance(pool, StaticPool | AssertionPool):
        return True
    is_queue = isinstance(pool, QueuePool) and engine.dialect.name == "sqlite"
    return is_queue and bool(pool.size() + pool._max_overflow == 1)


def is_in_memory(url: URL) -> bool:
    """Whether this names a SQLite database in memory."""
    if url.get_backend_name() != "sqlite":
        return False
    by_name = str(url.database).startswith("file::memory:")
    is_uri = "uri" in url.query and (by_name or url.query.get("mode") == "memory")
    return is_uri or url.database in (None, "", ":memory:")


def _is_shared_cache(engine: AsyncEngine) -> bool:
    is_shared = engine.url.query.get("cache") == "shared"
    return is_shared and is_in_memory(engine.url) and not isinstance(engine.pool, NullPool)


async def check_memory(engine: AsyncEngine, connection: AsyncConnection) -> None:
    """Raise `ConfigurationError` where each connection has a database in memory to itself."""
    if has_one_connection(engine) or _is_shared_cache(engine):
        return
    # An engine's URL may say something else than its `creator` does.
    databases = (await connection.exec_driver_sql("PRAGMA database_list")).mappings().all()
    if any(each["name"] == "main" and not each["file"] for each in databases):
        msg = (
            "SQLite in memory has a database for each connection, and this pool opens several: "
            'create_async_engine("sqlite+aiosqlite://", poolclass=StaticPool)'
        )
        raise ConfigurationError(msg)
