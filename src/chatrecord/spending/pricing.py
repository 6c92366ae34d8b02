"""From usage to money."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from importlib.metadata import version
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from genai_prices.types import AbstractUsage

_PLACES = Decimal(1).scaleb(-12)
_SOURCE = f"genai-prices {version('genai-prices')}"


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars, and the price table they come from."""

    amount: Decimal
    source: str


def price(
    usage: AbstractUsage | None,
    *,
    model: str | None,
    provider: str | None,
    at: datetime,
    context: Mapping[str, str] | None = None,
) -> Price | None:
    """What this usage cost at that time; `None` where it or the model's price is unknown.

    `context` has other values of the provider that a price may depend on, such as the service tier.
    """
    if usage is None or model is None or provider is None:
        return None
    from genai_prices import calc_price  # noqa: PLC0415 - its table takes a third of a second to load

    try:
        found = calc_price(
            usage, model, provider_id=provider, genai_request_timestamp=at, price_context=context
        )
    except (LookupError, ValueError):
        return None
    return Price(found.total_price.quantize(_PLACES), _SOURCE)


def provider_at(address: str) -> str | None:
    """The provider whose API is at this address, as the price table names it."""
    from genai_prices.data_snapshot import get_snapshot  # noqa: PLC0415 - as above

    with suppress(LookupError):
        return get_snapshot().find_provider(None, None, address).id
    return None


@dataclass(frozen=True, slots=True)
class Most:
    """What one request can take at most: tokens, and US dollars where the price is known."""

    tokens: int
    cost: Decimal | None


def most_of_a_request(model: str | None, provider: str | None, *, otherwise: int) -> Most:
    """A whole context window at the model's higher price; `otherwise` where it is not known."""
    from genai_prices import Usage  # noqa: PLC0415 - its table takes a third of a second to load
    from genai_prices.data_snapshot import get_snapshot  # noqa: PLC0415

    tokens = otherwise
    if model is not None:
        with suppress(LookupError):
            _, found = get_snapshot().find_provider_model(model, None, provider, None)
            tokens = found.context_window or otherwise
    now = datetime.now(UTC)
    costs = [
        price(usage, model=model, provider=provider, at=now)
        for usage in (Usage(input_tokens=tokens), Usage(output_tokens=tokens))
    ]
    amounts = [cost.amount for cost in costs if cost is not None]
    return Most(tokens, max(amounts, default=None))


def price_of_input(
    tokens: int, *, model: str | None, provider: str | None, at: datetime
) -> Decimal | None:
    """The cost of sending this number of uncached tokens."""
    from genai_prices import Usage  # noqa: PLC0415 - as above

    found = price(Usage(input_tokens=tokens), model=model, provider=provider, at=at)
    return found.amount if found else None
