"""Limits of runs and chats, each checked before more is spent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
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

from .pricing import LIST_PRICES, PriceList


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Limits of a run and of a chat. `None` means no limit.

    `steps` are LLM requests of a run, `tool_calls` its tool calls, `tokens` and `cost` its totals;
    `chat_tokens` and `chat_cost` are totals of the chat. `total_timeout` limits a run,
    `idle_timeout` a provider that sends nothing, `hook_timeout` the hooks at the end of a run,
    before it is stored. `attachment_bytes` limits each file of a question. Timeouts are in seconds,
    costs in US dollars, sizes in bytes. Failed attempts count.

    Before each request its input is estimated (four characters a token); only the output of one
    answer can exceed a limit. Raises `ValueError` or `TypeError` for an invalid number.
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
    def need_usage(self) -> bool:
        """Whether a limit depends on what was used before."""
        return self.need_chat_usage or self.tokens is not None or self.cost is not None

    @property
    def need_chat_usage(self) -> bool:
        """Whether a limit depends on the usage of the whole chat."""
        return self.chat_tokens is not None or self.chat_cost is not None

    def check_steps(self, steps: int) -> None:
        """Raise `StepLimitExceeded` if the run has already made its steps."""
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
        self,
        target: Target,
        *,
        estimate: Callable[[], int],
        run: Usage,
        chat: Usage,
        prices: PriceList = LIST_PRICES,
    ) -> None:
        """Raise if a request with this input would exceed a limit of the run or the chat."""
        if not self.need_usage:
            return
        tokens = estimate()
        _check_tokens("tokens", self.tokens, run, tokens)
        _check_tokens("chat_tokens", self.chat_tokens, chat, tokens)
        limits = {"cost": (self.cost, run), "chat_cost": (self.chat_cost, chat)}
        for name, (limit, used) in limits.items():
            if limit is not None:
                _check_cost(name, limit, used, _cost_of(target, tokens, name, prices))


def _check_tokens(name: str, limit: int | None, used: Usage, tokens: int) -> None:
    if limit is not None and used.total_tokens + tokens > limit:
        msg = (
            f"The next request needs about {tokens} tokens, {used.total_tokens} of {limit} are "
            f"used: raise Limits({name}=...) or narrow the window"
        )
        raise TokenLimitExceeded(msg)


def _check_cost(name: str, limit: Decimal, used: Usage, next_request: Decimal) -> None:
    spent = (used.cost or Decimal(0)) + next_request
    if spent > limit:
        msg = (
            f"The next request would bring the cost to at least ${spent:f}, ${limit:f} is allowed: "
            f"raise Limits({name}=...)"
        )
        raise CostLimitExceeded(msg)


def _cost_of(target: Target, input_tokens: int, name: str, prices: PriceList) -> Decimal:
    cost = prices.cost_of_input(input_tokens, model=target.model, provider=target.provider)
    if cost is None:
        msg = (
            f"Limits({name}=...) cannot be kept: there is no price for "
            f"{target.provider}:{target.model}. Set it with Database(prices=...), or limit tokens "
            "instead"
        )
        raise UnknownPrice(msg)
    return cost
