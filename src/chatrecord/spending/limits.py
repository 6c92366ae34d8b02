"""Guards: how long, how many and how much, each checked before more is spent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from decimal import Decimal

from chatrecord.errors import (
    CostLimitExceeded,
    StepLimitExceeded,
    TokenLimitExceeded,
    ToolCallLimitExceeded,
    UnknownPrice,
)
from chatrecord.records import Usage
from chatrecord.text.arguments import check_amount
from chatrecord.values import Target

from .pricing import price_of_input


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a run, and a chat as a whole, may take. `None` means no limit.

    `total_timeout` (of a run), `idle_timeout` (of a provider that sends nothing) and `hook_timeout`
    (of what hooks do when a run ends, before that is stored) are in seconds, costs are in US
    dollars, `attachment_bytes` is the size of one file in a question. Tokens and cost count every
    attempt, and before each request the input about to be sent (estimated at four characters a
    token), so that a limit is never knowingly passed; one answer can still overshoot it by its own
    output.
    """

    total_timeout: float | None = 900
    idle_timeout: float | None = 120
    hook_timeout: float | None = 30
    steps: int | None = 50
    tool_calls: int | None = None
    tokens: int | None = None
    cost: Decimal | None = None
    chat_tokens: int | None = None
    chat_cost: Decimal | None = None
    attachment_bytes: int | None = 10_000_000

    def __post_init__(self) -> None:
        for limit in fields(self):
            value = getattr(self, limit.name)
            if value is not None:
                check_amount(f"Limits({limit.name}", value)

    @property
    def need_chat_usage(self) -> bool:
        """Whether the chat's usage so far has to be known."""
        return self.chat_tokens is not None or self.chat_cost is not None

    def check_steps(self, steps: int) -> None:
        """Raise `StepLimitExceeded` if this step is one too many."""
        if self.steps is not None and steps > self.steps:
            msg = f"The run has made its {self.steps} model calls: raise Limits(steps=...) for more"
            raise StepLimitExceeded(msg)

    def check_tool_calls(self, calls: int) -> None:
        """Raise `ToolCallLimitExceeded` if these are too many for one run."""
        if self.tool_calls is not None and calls > self.tool_calls:
            msg = (
                f"The model asked for {calls} tool calls in one run, {self.tool_calls} are "
                "allowed: raise Limits(tool_calls=...) for more"
            )
            raise ToolCallLimitExceeded(msg)

    def check_spending(
        self, target: Target, *, estimate: Callable[[], int], run: Usage, chat: Usage
    ) -> None:
        """Raise if a request with so much input would go over a limit of the run or the chat."""
        if self._spending_is_free:
            return
        tokens = estimate()
        _check_tokens("tokens", self.tokens, run, tokens)
        _check_tokens("chat_tokens", self.chat_tokens, chat, tokens)
        _check_cost("cost", self.cost, run, target, tokens)
        _check_cost("chat_cost", self.chat_cost, chat, target, tokens)

    @property
    def _spending_is_free(self) -> bool:
        return not self.need_chat_usage and self.tokens is None and self.cost is None


def _check_tokens(name: str, limit: int | None, used: Usage, tokens: int) -> None:
    if limit is not None and used.total_tokens + tokens > limit:
        msg = (
            f"The next request needs about {tokens} tokens, {used.total_tokens} of {limit} are "
            f"used: raise Limits({name}=...) or narrow the window"
        )
        raise TokenLimitExceeded(msg)


def _check_cost(name: str, limit: Decimal | None, used: Usage, target: Target, tokens: int) -> None:
    if limit is None:
        return
    spent = (used.cost or Decimal(0)) + _cost_of(target, tokens, name)
    if spent > limit:
        msg = (
            f"The next request would bring the cost to at least ${spent:f}, ${limit:f} is allowed: "
            f"raise Limits({name}=...)"
        )
        raise CostLimitExceeded(msg)


def _cost_of(target: Target, input_tokens: int, name: str) -> Decimal:
    cost = price_of_input(
        input_tokens, model=target.model, provider=target.provider, at=datetime.now(UTC)
    )
    if cost is None:
        msg = (
            f"Limits({name}=...) cannot be kept: genai-prices knows no price for "
            f"{target.provider}:{target.model}. Limit its tokens instead"
        )
        raise UnknownPrice(msg)
    return cost
