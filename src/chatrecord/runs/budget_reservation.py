"""Whether a request may be sent, as the budgets say that hold for it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from weakref import WeakKeyDictionary

from chatrecord.errors import BudgetExceeded
from chatrecord.events import NewEvent
from chatrecord.hooks.hook import Hook
from chatrecord.hooks.moments import BudgetWarning
from chatrecord.hooks.run_hooks import warn_of_budget
from chatrecord.records import ApiRequest
from chatrecord.spending.budgets import Budget, Spending
from chatrecord.spending.pricing import PriceList
from chatrecord.store.changes import BudgetCheck, Lease
from chatrecord.values import Target

from .cancellation import run_to_completion
from .stores import BudgetStore

PAUSE = 0.1
"""Seconds between two looks whether the answers under way have left something."""

_LOG = logging.getLogger("chatrecord")

_warned: WeakKeyDictionary[BudgetStore, dict[tuple[Budget, object], datetime | None]] = (
    WeakKeyDictionary()
)
"""The period in which this process has warned last, of each budget and owner."""


@dataclass(frozen=True, slots=True)
class BudgetReservations:
    """The budgets of a chat's requests, and the hooks that hear when one is nearly used up."""

    store: BudgetStore
    budgets: Sequence[Budget]
    prices: PriceList
    hooks: Sequence[Hook] = ()

    async def reserve(
        self, request: ApiRequest, lease: Callable[[], Lease | None], lock: asyncio.Lock
    ) -> None:
        """Store this request as soon as every budget allows it. Raises `BudgetExceeded`."""
        while True:
            now, seen = datetime.now(UTC), dict[Budget, Spending]()
            checks = [self._check(budget, request, now, seen) for budget in self.budgets]
            try:
                async with lock:
                    is_reserved = await run_to_completion(
                        self.store.reserve(request, lease(), checks)
                    )
            except BudgetExceeded:
                await self._warn(request, now, seen)
                raise
            await self._warn(request, now, seen)
            if is_reserved:
                return
            await asyncio.sleep(PAUSE)

    def _check(
        self, budget: Budget, request: ApiRequest, now: datetime, seen: dict[Budget, Spending]
    ) -> BudgetCheck:
        target = Target(request.model, request.provider, streamed=request.streamed)

        def allows(spending: Spending) -> bool:
            seen[budget] = spending
            return budget.allows(target, spending, self.prices)

        return BudgetCheck(budget.by, budget.since(now), allows)

    async def _warn(
        self, request: ApiRequest, now: datetime, seen: Mapping[Budget, Spending]
    ) -> None:
        """Warn of each budget that is nearly used up, once in its period."""
        warned = _warned.setdefault(self.store, {})
        for budget, spending in seen.items():
            key, since = (budget, spending.whose), budget.since(now)
            if budget.warns(spending.used) and (key not in warned or warned[key] != since):
                warned[key] = since
                warning = _warning(budget, spending, request, now)
                _LOG.warning("%s", warning)
                await self.store.add_event(_event(warning))
                await warn_of_budget(self.hooks, warning)


def _warning(
    budget: Budget, spending: Spending, request: ApiRequest, now: datetime
) -> BudgetWarning:
    assert request.chat_id is not None, "budgets are those of chats"
    return BudgetWarning(
        chat_id=request.chat_id,
        run_id=request.run_id,
        by=budget.by,
        whose=spending.whose,
        used=spending.used,
        cost=budget.cost,
        tokens=budget.tokens,
        since=budget.since(now),
        renews_at=budget.renews_at(now),
    )


def _event(warning: BudgetWarning) -> NewEvent:
    """The same for readers outside. Amounts are text, as in JSON elsewhere."""
    whose, used = warning.whose, warning.used
    data = {
        "by": warning.by,
        "whose": whose if whose is None or isinstance(whose, int) else str(whose),
        "since": None if warning.since is None else warning.since.isoformat(),
        "used_cost": None if used.cost is None else f"{used.cost:f}",
        "used_tokens": used.total_tokens,
        "cost": None if warning.cost is None else f"{warning.cost:f}",
        "tokens": warning.tokens,
    }
    return NewEvent("budget.warning", warning.chat_id, warning.run_id, data=data)
