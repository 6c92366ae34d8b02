"""What a connection has to be before anything is written through it."""

from __future__ import annotations

from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from chatrecord.errors import ConfigurationError
from chatrecord.sqlalchemy.types import is_mysql

from .exclusive import check_memory

_CHECKED = "chatrecord_checked"


def is_checked(pooled: Any) -> bool:
    """Whether this connection to MySQL or MariaDB has been looked at."""
    return _CHECKED in pooled.info


class ConnectionChecks:
    """Looks once at each new connection to MySQL or MariaDB, and once at SQLite."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._is_sqlite_checked = engine.dialect.name != "sqlite"

    @property
    def are_done(self) -> bool:
        """Whether nothing has to be looked at on SQLite or PostgreSQL any more."""
        return self._is_sqlite_checked

    async def check(self, connection: AsyncConnection) -> None:
        """Raise `ConfigurationError` for what would lose or spoil what is written."""
        if not self._is_sqlite_checked:
            await check_memory(self._engine, connection)
            self._is_sqlite_checked = True
        if is_mysql(connection.dialect):
            known = (await connection.get_raw_connection()).info
            if _CHECKED not in known:
                await _check_mode(connection)
                known[_CHECKED] = True


async def _check_mode(connection: AsyncConnection) -> None:
    """The drivers write the bytes of files with backslashes, whatever the server makes of them."""
    result = await connection.exec_driver_sql("SELECT @@sql_mode, @@character_set_client")
    mode, characters = tuple(result.one())
    if characters != "utf8mb4":
        msg = (
            f"This connection has the character set {characters}, which does not hold every text: "
            "leave charset out of the URL or connect_args=, or set it to utf8mb4"
        )
        raise ConfigurationError(msg)
    if "NO_BACKSLASH_ESCAPES" in mode:
        msg = (
            "This connection has NO_BACKSLASH_ESCAPES in its sql_mode: files would be stored with "
            "other bytes than they have. Take it out of the server's sql_mode, or set another for "
            f'the connection: connect_args={{"init_command": "SET sql_mode=\'{_but(mode)}\'"}}'
        )
        raise ConfigurationError(msg)


def _but(mode: str) -> str:
    return ",".join(each for each in mode.split(",") if each != "NO_BACKSLASH_ESCAPES")
