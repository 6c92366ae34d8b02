"""Budgets: how much an owner may spend in a period, counted in the database for all processes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Literal, get_args

from chatrecord.errors import BudgetExceeded, UnknownPrice
from chatrecord.records import Usage
from chatrecord.text.arguments import check_amount, check_text
from chatrecord.values import Target

from .pricing import LIST_PRICES, Most, PriceList

Renewal = Literal["hour", "day", "week", "month"]
"""A period in UTC; a week begins on Monday."""

_ANY_CONTEXT = 1_000_000
"""Tokens of a request to a model whose context window is unknown."""


@dataclass(frozen=True, slots=True)
class Spending:
    """What an owner has spent, and its active requests."""

    whose: object
    used: Usage
    under_way: Sequence[Target]


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """How much each owner may spend in each period, in all processes together.

        budgets=[Budget(cost=Decimal("5"), per="day", by="user_id")]

    `cost` is in US dollars, `tokens` counts input and output; at least one is given. `per` is
    `"hour"`, `"day"`, `"week"` or `"month"` (UTC), or `None` for no renewal. `by` is a column of
    your chats, such as `user_id`; `"chat_id"` gives each chat its own budget, `None` one to all
    chats.

    Checked in the database before each request. If the active requests might use up the rest, the
    next one waits for them, so a budget is exceeded by one request at most. `most` is the largest
    cost of one request in US dollars; the default is computed from the context window. A smaller
    `most` allows more requests at once.

    `warn_at` is a share of the budget from 0 to 1, such as 0.8. When it is reached, a warning is
    logged and the hooks are called (`Hook.on_budget_warning`), before the next request is sent.
    """

    cost: Decimal | None = None
    tokens: int | None = None
    per: Renewal | None = None
    by: str | None = None
    most: Decimal | None = None
    warn_at: float | None = None

    def __post_init__(self) -> None:
        if self.cost is None and self.tokens is None:
            msg = "A Budget takes cost= or tokens=, or both, from 0 on"
            raise ValueError(msg)
        for name in ("cost", "tokens", "most"):
            if getattr(self, name) is not None:
                check_amount(f"Budget({name}", getattr(self, name))
        check_text("Budget(by", self.by)
        if self.warn_at is not None:
            check_amount("Budget(warn_at", self.warn_at)
            if not 0 < self.warn_at <= 1:
                msg = f"Budget(warn_at=...) is a share such as 0.8, not {self.warn_at!r}"
                raise ValueError(msg)
        if self.per is not None and self.per not in get_args(Renewal):
            known = ", ".join(map(repr, get_args(Renewal)))
            msg = f"Budget(per=...) is one of {known}, not {self.per!r}"
            raise ValueError(msg)

    def since(self, now: datetime) -> datetime | None:
        """The start of the current period."""
        day = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        match self.per:
            case "hour":
                return day.replace(hour=now.astimezone(UTC).hour)
            case "day":
                return day
            case "week":
                return day - timedelta(days=day.weekday())
            case "month":
                return day.replace(day=1)
            case None:
                return None

    def renews_at(self, now: datetime) -> datetime | None:
        """The start of the next period."""
        since = self.since(now)
        if since is None or self.per is None:
            return None
        if self.per == "month":
            return (since + timedelta(days=31)).replace(day=1)
        return since + timedelta(**{f"{self.per}s": 1})

    def warns(self, used: Usage) -> bool:
        """Whether this has reached `warn_at`."""
        if self.warn_at is None:
            return False
        share = Decimal(str(self.warn_at))
        of_cost = self.cost is not None and (used.cost or 0) >= share * Decimal(str(self.cost))
        return of_cost or (self.tokens is not None and used.total_tokens >= share * self.tokens)

    def allows(self, target: Target, spending: Spending, prices: PriceList = LIST_PRICES) -> bool:
        """Whether a request may be sent now, or must wait until others end.

        Raises `BudgetExceeded`, and `UnknownPrice` if the cost cannot be known.
        """
        used = spending.used
        if self.tokens is not None:
            if used.total_tokens >= self.tokens:
                raise self._exceeded(spending, f"{used.total_tokens:,} of {self.tokens:,} tokens")
            under_way = sum(_most(each, prices).tokens for each in spending.under_way)
            if used.total_tokens + under_way >= self.tokens:
                return False
        if self.cost is None:
            return True
        cost = (used.cost or Decimal(0)) + self._most_of_unpriced(target, used, prices)
        if cost >= self.cost:
            raise self._exceeded(spending, f"${cost:f} of ${self.cost:f}")
        self._most_cost(target, prices)
        return cost + sum(self._most_cost(each, prices) for each in spending.under_way) < self.cost

    def _most_of_unpriced(self, target: Target, used: Usage, prices: PriceList) -> Decimal:
        """What requests without a cost may have cost, where no price is known for the next one."""
        if self.most is None or _most(target, prices).cost is not None:
            return Decimal(0)
        return self.most * used.unpriced_requests

    def _most_cost(self, target: Target, prices: PriceList) -> Decimal:
        if self.most is not None:
            return self.most
        found = _most(target, prices)
        if found.cost is None:
            msg = (
                f"Budget(cost=...) cannot be kept: there is no price for "
                f"{target.provider}:{target.model}. Set it with Database(prices=...), or give the "
                "budget in tokens instead"
            )
            raise UnknownPrice(msg)
        return found.cost

    def _exceeded(self, spending: Spending, spent: str) -> BudgetExceeded:
        renews_at = self.renews_at(datetime.now(UTC))
        whose = f"{self.by}={spending.whose!r}" if self.by else "all chats together"
        again = f"it renews at {renews_at:%Y-%m-%d %H:%M} UTC" if renews_at else "it never renews"
        msg = f"The budget of {whose} is used up: {spent} are spent, {again}"
        return BudgetExceeded(msg, by=self.by, whose=spending.whose, renews_at=renews_at)


def _most(target: Target, prices: PriceList) -> Most:
    return prices.most_of_a_request(target.model, target.provider, otherwise=_ANY_CONTEXT)
