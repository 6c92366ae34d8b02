"""The store on SQLAlchemy: short transactions of our own, all statements from one place."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Sequence
from uuid import UUID

from chatrecord.spending.reports import Span, UsageRow
from chatrecord.sqlalchemy.engine.notifications import notifications
from chatrecord.sqlalchemy.sql.reports import report, row_of
from chatrecord.store.chat_store import Scope

from .journal import StoredJournal
from .run_start import Beginnings
from .run_writes import RunWrites


class SqlStore(Beginnings, RunWrites, StoredJournal):
    """Implements `chatrecord.store` for an engine and the classes of a `Models`."""

    def notifications(self) -> AsyncGenerator[Collection[UUID] | None]:
        return notifications(self._engine)

    async def report(self, by: Sequence[str], span: Span, scope: Scope) -> list[UsageRow]:
        statement = report(self._sql, self._engine.dialect, by, span, scope)

        async def read() -> list[UsageRow]:
            async with self.snapshot() as connection:
                found = await connection.execute(statement)
                return [row_of(row, by) for row in found.mappings()]

        return await self._retried(read)
