"""From usage to money."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from importlib.metadata import version
from typing import TYPE_CHECKING

from chatrecord.records import OWN_PRICES, REPORTED

from .addresses import listed
from .prices import OwnPrices, Prices, model_price

if TYPE_CHECKING:
    from genai_prices.types import AbstractUsage

_PLACES = Decimal(1).scaleb(-12)
_SOURCE = f"genai-prices {version('genai-prices')}"


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars, and where they come from: a price table, or who reported or set them."""

    amount: Decimal
    source: str


@dataclass(frozen=True, slots=True)
class Cost:
    """What a request cost, and what it costs by the list; `None` where that is not known."""

    price: Price | None
    list_price: Price | None


@dataclass(frozen=True, slots=True)
class Spent:
    """What a request has used, and what its price may depend on.

    `context` has other values of the provider, such as the service tier. `reported` is the amount
    that the provider reported itself.
    """

    usage: AbstractUsage | None
    at: datetime
    context: Mapping[str, str]
    reported: Decimal | None = None


def price(
    usage: AbstractUsage | None,
    *,
    model: str | None,
    provider: str | None,
    at: datetime,
    context: Mapping[str, str] | None = None,
) -> Price | None:
    """The list price of this usage at that time; `None` where it or the model's price is unknown.

    `context` has other values of the provider that a price may depend on, such as the service tier.
    """
    seller = listed(provider)
    if usage is None or model is None or seller is None:
        return None
    from genai_prices import calc_price  # noqa: PLC0415 - its table takes a third of a second to load

    try:
        found = calc_price(
            usage, model, provider_id=seller.id, genai_request_timestamp=at, price_context=context
        )
    except (LookupError, ValueError):
        return None
    return Price(found.total_price.quantize(_PLACES), _SOURCE)


@dataclass(frozen=True, slots=True)
class Most:
    """What one request can take at most: tokens, and US dollars where the price is known."""

    tokens: int
    cost: Decimal | None


class PriceList:
    """What requests cost: by the prices of the user, by the provider, or by the list."""

    def __init__(self, own: Prices | None = None) -> None:
        self._own = OwnPrices(own)

    def cost(self, spent: Spent, *, models: tuple[str | None, ...], provider: str | None) -> Cost:
        """What a request cost. A later name of its model counts where an earlier one has no price.

        An own price counts first, then what the provider reported, then the list price.
        """
        named = dict.fromkeys(model for model in models if model is not None)
        own = _first(self._own_price(spent, model, provider) for model in named)
        by_list = _first(self._list_price(spent, model, provider) for model in named)
        reported = None if spent.reported is None else _reported(spent.reported)
        return Cost(own or reported or by_list, by_list)

    def _own_price(self, spent: Spent, model: str, provider: str | None) -> Price | None:
        rate = self._own.rate(model, provider)
        if rate is None or isinstance(rate, str) or spent.usage is None:
            return None
        try:
            amount = model_price(rate).calc_price(spent.usage)["total_price"]
        except ValueError:  # it lacks the price of what was used, or the usage contradicts itself
            return None
        return Price(amount.quantize(_PLACES), OWN_PRICES)

    def _list_price(self, spent: Spent, model: str, provider: str | None) -> Price | None:
        rate = self._own.rate(model, provider)
        return price(
            spent.usage,
            model=model,
            provider=rate if isinstance(rate, str) else provider,
            at=spent.at,
            context=spent.context,
        )

    def most_of_a_request(self, model: str | None, provider: str | None, *, otherwise: int) -> Most:
        """A whole context window at the model's higher price; `otherwise` where it is unknown."""
        from genai_prices import Usage  # noqa: PLC0415 - its table takes a third of a second to load

        tokens = self._context_window(model, provider) or otherwise
        usages = (Usage(input_tokens=tokens), Usage(output_tokens=tokens))
        costs = [self._estimate(usage, model, provider) for usage in usages]
        amounts = [cost for cost in costs if cost is not None]
        return Most(tokens, max(amounts, default=None))

    def cost_of_input(
        self, tokens: int, *, model: str | None, provider: str | None
    ) -> Decimal | None:
        """The cost of sending this number of uncached tokens now."""
        from genai_prices import Usage  # noqa: PLC0415 - as above

        return self._estimate(Usage(input_tokens=tokens), model, provider)

    def _estimate(
        self, usage: AbstractUsage, model: str | None, provider: str | None
    ) -> Decimal | None:
        spent = Spent(usage, datetime.now(UTC), {})
        found = self.cost(spent, models=(model,), provider=provider).price
        return found.amount if found else None

    def _context_window(self, model: str | None, provider: str | None) -> int | None:
        from genai_prices.data_snapshot import get_snapshot  # noqa: PLC0415 - as above

        if model is None:
            return None
        rate = self._own.rate(model, provider)
        seller = listed(rate if isinstance(rate, str) else provider)
        with suppress(LookupError):
            if seller is not None:
                _, found = get_snapshot().find_provider_model(model, seller, None, None)
                return found.context_window
        return None


LIST_PRICES = PriceList()
"""The prices of the list alone."""


def _reported(amount: Decimal) -> Price:
    return Price(amount.quantize(_PLACES), REPORTED)


def _first(prices: Iterable[Price | None]) -> Price | None:
    return next((each for each in prices if each is not None), None)
