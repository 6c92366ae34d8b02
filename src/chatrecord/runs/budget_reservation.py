"""Whether a request may be sent, as the budgets say that hold for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial

from chatrecord.records import ApiRequest
from chatrecord.spending.budgets import Budget
from chatrecord.store.changes import BudgetCheck, Lease
from chatrecord.store.spending_store import SpendingStore
from chatrecord.values import Target

from .cancellation import run_to_completion

PAUSE = 0.1
"""Seconds between two looks whether the answers under way have left something."""


async def reserve(
    store: SpendingStore,
    budgets: Sequence[Budget],
    request: ApiRequest,
    lease: Callable[[], Lease | None],
    lock: asyncio.Lock,
) -> None:
    """Store this request as soon as every budget allows it. Raises `BudgetExceeded`."""
    target = Target(request.model, request.provider, streamed=request.streamed)
    while True:
        now = datetime.now(UTC)
        checks = [
            BudgetCheck(budget.by, budget.since(now), partial(budget.allows, target))
            for budget in budgets
        ]
        async with lock:
            if await run_to_completion(store.reserve(request, lease(), checks)):
                return
        await asyncio.sleep(PAUSE)
