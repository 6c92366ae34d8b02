"""What a connection has to be before anything is written through it."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from .turns import check_memory


class ConnectionChecks:
    """Looks once at SQLite."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._is_sqlite_checked = engine.dialect.name != "sqlite"

    async def check(self, connection: AsyncConnection) -> None:
        """Raise `ConfigurationError` for what would lose or spoil what is written."""
        if not self._is_sqlite_checked:
            await check_memory(self._engine, connection)
            self._is_sqlite_checked = True
