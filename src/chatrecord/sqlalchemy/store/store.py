"""The store on SQLAlchemy: short transactions of our own, all statements from one place."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from chatrecord.spending.reports import Span, UsageRow
from chatrecord.sqlalchemy.engine.listening import Listening
from chatrecord.sqlalchemy.sql.reports import Report
from chatrecord.store.chat_store import Scope
from chatrecord.store.shown_store import ShownStore

from .branches import StoredBranches
from .deleted_chats import StoredDeletedChats
from .events import StoredEvents
from .feedback import StoredFeedback
from .journal import StoredJournal
from .lookups import StoredLookups
from .run_start import Beginnings
from .run_writes import RunWrites
from .searching import StoredSearch
from .semantic_search import StoredVectors
from .usage_days import StoredUsageDays, covered


class SqlStore(
    Beginnings,
    RunWrites,
    StoredJournal,
    StoredLookups,
    StoredUsageDays,
    StoredEvents,
    StoredBranches,
    StoredSearch,
    StoredVectors,
    StoredFeedback,
    StoredDeletedChats,
):
    """Implements `chatrecord.store` for an engine and the classes of a `Models`."""

    listening: Listening | None = None
    """Where notices are listened for; `None` is the engine itself."""

    @property
    def engines(self) -> Sequence[AsyncEngine]:
        """Every engine that rows are read or written by."""
        return [self._engine]

    @property
    def shown(self) -> ShownStore:
        """Where there is a replica, what reads it."""
        return self

    def notifications(self) -> AsyncGenerator[Collection[UUID] | None]:
        return (self.listening or Listening(self._engine)).notices()

    async def report(
        self,
        by: Sequence[str],
        span: Span,
        scope: Scope,
        *,
        percentiles: bool = False,
        most: int | None = None,
    ) -> list[UsageRow]:
        asked = Report(self._sql, self._engine.dialect, by, span, scope, percentiles, most)
        of_requests = asked.statement()  # which refuses what cannot be reported

        async def read() -> list[UsageRow]:
            statement = of_requests
            async with self.snapshot() as connection:
                if asked.is_of_days:
                    days = await covered(self._sql, connection, span.since, span.until)
                    statement = asked.statement(days)
                found = await connection.execute(statement)
                return [asked.row_of(row) for row in found.mappings()]

        return await self._retried(read)
