"""The store on SQLAlchemy: short transactions of our own, all statements from one place."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Sequence
from uuid import UUID

from chatrecord.reports import Span, UsageRow
from chatrecord.store import Scope

from .beginnings import Beginnings
from .report_statements import report, row_of
from .run_writes import RunWrites
from .tidings import tidings


class SqlStore(Beginnings, RunWrites):
    """Implements `chatrecord.store.Store` for an engine and the classes of a `Models`."""

    def tidings(self) -> AsyncGenerator[Collection[UUID] | None]:
        return tidings(self._engine)

    async def report(self, by: Sequence[str], span: Span, scope: Scope) -> list[UsageRow]:
        statement = report(self._sql, self._engine.dialect, by, span, scope)

        async def read() -> list[UsageRow]:
            async with self.snapshot() as connection:
                found = await connection.execute(statement)
                return [row_of(row, by) for row in found.mappings()]

        return await self._retried(read)
