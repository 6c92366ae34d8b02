"""Poolers in front of PostgreSQL that give each transaction another connection to the server.

What a driver has prepared on one connection is not there on the next, or is another client's
statement of that name. And who listens on such a connection hears nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

from sqlalchemy import Dialect, event
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.util import await_only

from chatrecord.errors import ConfigurationError

PoolerMode: TypeAlias = Literal["transaction", "session"]

_MODES = ("transaction", "session")

_PREPARE_NOTHING: dict[str, tuple[str, object]] = {
    "asyncpg": ("statement_cache_size", 0),
    "psycopg": ("prepare_threshold", None),
}
"""The option of each driver, and its value."""

_ASK = (
    "SELECT CASE WHEN pg_backend_pid() = {pid} THEN 0 ELSE "
    "CAST('chatrecord has noticed a pooler, this is no error: ' || pg_backend_pid() AS int) END"
)
"""Fails where the server's process is not the one that the connection was told of. asyncpg sends
it without preparing it, but returns no rows of such a statement."""

_NO_NUMBER = "22P02"

log = logging.getLogger("chatrecord")


class Pooling:
    """Whether there is such a pooler: as it was said, or as the first connection tells.

    A pooler tells each client a process of its own, which is not the server's.
    """

    def __init__(
        self, engine: AsyncEngine, mode: PoolerMode | None = None, *, is_ours: bool = True
    ) -> None:
        """An engine that is not ours is changed only if `mode` asks for it."""
        is_known = engine.dialect.driver in _PREPARE_NOTHING
        if mode is not None and (mode not in _MODES or engine.dialect.name != "postgresql"):
            msg = 'pooler= takes "transaction" or "session", for a pooler in front of PostgreSQL'
            raise ConfigurationError(msg)
        self._is_asked = mode is None and is_known
        self._is_changed = is_ours or mode is not None
        self.is_by_transaction = mode == "transaction"
        if is_known and mode != "session":
            event.listen(engine.sync_engine, "do_connect", self._connect)

    def _connect(self, dialect: Dialect, record: object, args: Any, options: dict[str, Any]) -> Any:
        """Connect as this needs it. `None` leaves that to SQLAlchemy."""
        if self._is_asked:
            for listener in self._later(dialect):  # such as one that sets a password
                given = listener(dialect, record, args, options)
                if given is not None:
                    return given
            connection: Any = dialect.connect(*args, **options)
            try:
                has_pooler = await_only(_ASKING[dialect.driver](connection.driver_connection))
            except BaseException:
                dialect.do_terminate(connection)
                raise
            self._is_asked = False
            if not has_pooler:
                return connection
            self._noticed(dialect, options)
            connection.close()
        if self.is_by_transaction and self._is_changed:
            options.setdefault(*_PREPARE_NOTHING[dialect.driver])
        return None

    def _later(self, dialect: Any) -> Sequence[Any]:
        """The application's listeners that come after this one, which a connection ends."""
        listeners = list(dialect.dispatch.do_connect)
        return listeners[listeners.index(self._connect) + 1 :]

    def _noticed(self, dialect: Dialect, options: dict[str, Any]) -> None:
        self.is_by_transaction = True
        option, value = _PREPARE_NOTHING[dialect.driver]
        if not self._is_changed and options.get(option, self) != value:
            log.warning(
                "There is a pooler in front of this database, and the engine prepares statements: "
                'pass Database(engine, pooler="transaction"), or "session" if that is its mode'
            )
        else:
            log.info("There is a pooler in front of this database: nothing is prepared")


async def _asked_by_asyncpg(driver: Any) -> bool:
    try:
        await driver.execute(_ASK.format(pid=driver.get_server_pid()))
    except Exception as error:
        if getattr(error, "sqlstate", None) == _NO_NUMBER:
            return True
        raise
    return False


async def _asked_by_psycopg(driver: Any) -> bool:
    cursor = await driver.execute("SELECT pg_backend_pid()", prepare=False)
    (pid,) = await cursor.fetchone()
    await driver.rollback()
    return bool(pid != driver.info.backend_pid)


_ASKING = {"asyncpg": _asked_by_asyncpg, "psycopg": _asked_by_psycopg}
