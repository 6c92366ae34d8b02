"""Connections that have been idle are tried before they are used; busy ones are not.

SQLAlchemy's `pool_pre_ping` tries every connection, which on asyncpg is three round trips before
each of our short transactions. What breaks between two transactions of a busy connection breaks as
if in the middle of the second, and that is tried again.
"""

from __future__ import annotations

from time import monotonic
from typing import Any

from sqlalchemy import event
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.ext.asyncio import AsyncEngine

IDLE = 1.0
"""Seconds after which a connection is tried: one more round trip a second is not felt."""

_SINCE = "chatrecord_idle_since"


def pre_ping_idle(engine: AsyncEngine) -> None:
    """Have the connections of this engine tried when they come out of a rest."""
    dialect = engine.dialect
    database_error = dialect.loaded_dbapi.Error

    def rest(_connection: object, record: Any) -> None:
        record.info[_SINCE] = monotonic()

    def wake(connection: Any, record: Any, _proxy: object) -> None:
        if monotonic() - record.info.get(_SINCE, monotonic()) < IDLE:
            return
        try:
            dialect.do_ping(connection)
        except database_error as error:
            msg = "A connection was lost while it was idle"
            raise InvalidatePoolError(msg) from error

    event.listen(engine.sync_engine, "checkin", rest)
    event.listen(engine.sync_engine, "checkout", wake)
