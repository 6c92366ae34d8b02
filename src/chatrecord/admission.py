"""Whether a request may be sent, as the budgets say that hold for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from time import monotonic

from .budgets import Budget
from .errors import DatabaseFailed
from .llm import Target
from .records import ApiRequest
from .shielding import finished
from .store import PATIENCE, Claim, Lease, Store

PAUSE = 0.1
"""Seconds between two looks whether the answers under way have left something."""


async def admit(
    store: Store,
    budgets: Sequence[Budget],
    request: ApiRequest,
    lease: Callable[[], Lease | None],
    lock: asyncio.Lock,
) -> None:
    """Store this request as soon as every budget allows it. Raises `BudgetExceeded`."""
    target = Target(request.model, request.provider, streamed=request.streamed)
    heard = monotonic()
    while True:
        now = datetime.now(UTC)
        claims = [
            Claim(budget.by, budget.since(now), partial(budget.admits, target))
            for budget in budgets
        ]
        async with lock:
            try:
                if await finished(store.admit(request, lease(), claims)):
                    return
                heard = monotonic()
            except DatabaseFailed as error:
                if not error.may_pass or monotonic() - heard > PATIENCE.total_seconds():
                    raise
        await asyncio.sleep(PAUSE)
