"""The port for usage and budgets."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from chatrecord.records import (
    ApiRequest,
    Usage,
)
from chatrecord.spending.reports import Span, UsageRow

from .changes import BudgetCheck, Lease
from .chat_store import Scope


class SpendingStore(Protocol):
    """Usage and budgets.

    Each method is its own transaction, unless it says otherwise. A failure raises a
    `ChatRecordError` or the driver's own error, never silently; a database that does not answer
    has failed, too.
    """

    async def reserve(
        self, request: ApiRequest, lease: Lease | None, checks: Sequence[BudgetCheck]
    ) -> bool:
        """Store a request if all checks allow it. Returns whether they did. Raises their errors.

        Without a lease it is a request that no run makes.

        Of two requests on what is left to one owner, the second sees the first.
        """

    async def end_side_requests(self, since: datetime, before: datetime, why: str) -> int:
        """End the open side requests that started in this time. Returns how many."""

    async def usage(self, chat_id: UUID) -> Usage:
        """What the chat has used so far."""

    async def report(
        self,
        by: Sequence[str],
        span: Span,
        scope: Scope,
        *,
        percentiles: bool = False,
        most: int | None = None,
    ) -> list[UsageRow]:
        """The requests of this time within the scope, grouped: see `spending.reports`.

        In the order of their groups; with `most`, only so many groups, those that cost most first.
        """

    async def count_days(self, now: datetime) -> int:
        """Add up the past days that are not, for reports and budgets. Returns how many.

        A store without such sums returns 0.
        """
