"""What requests have used and cost."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

CostSource = Literal["reported", "computed", "unknown"]
"""Whether the provider reported an amount, or it is computed from tokens and prices."""

REPORTED = "provider"
"""The `price_source` of an amount that the provider reported."""

OWN_PRICES = "own prices"
"""The `price_source` of an amount by prices of your own."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """Tokens of one or many requests. `None` means that the provider did not report them, never 0.

    Cache reads and writes are part of `input`, reasoning is part of `output`, for all providers.
    """

    input: int | None = None
    output: int | None = None
    cache_read: int | None = None
    cache_write: int | None = None
    reasoning: int | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """The usage of a run or a chat, over all attempts at providers, failed ones included.

    `cost` is in US dollars and sums the attempts with a known price (`None` if there are none);
    `unpriced_requests` counts the others, so that you can detect a partial sum. `reported_costs`
    counts the attempts whose cost the provider reported itself.
    """

    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None
    requests: int = 0
    cost: Decimal | None = None
    unpriced_requests: int = 0
    reported_costs: int = 0

    @property
    def cost_source(self) -> CostSource:
        """`"reported"` if providers reported all of the cost, `"unknown"` if a part is unknown."""
        if self.cost is None or self.unpriced_requests:
            return "unknown"
        return "reported" if self.reported_costs == self.requests else "computed"

    @property
    def total_tokens(self) -> int:
        """Input and output tokens. A value that was not reported counts as 0."""
        return (self.input_tokens or 0) + (self.output_tokens or 0)
