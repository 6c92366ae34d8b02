"""What recorded tokens cost, by the raw figures of the price table."""

from __future__ import annotations

from decimal import Decimal

from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import ModelPrice, TieredPrices

from .facts import ResponseFacts

SELLERS = {
    "openai-chat": "openai",
    "openai-responses": "openai",
    "anthropic": "anthropic",
    "gemini": "google",
}


def cost_of(facts: ResponseFacts, provider_name: str) -> Decimal:
    """Cached tokens have prices of their own; reasoning is paid as output."""
    table = table_of(facts.model, SELLERS[provider_name])
    read, written = facts.cache_read or 0, facts.cache_write or 0
    kept_long = facts.long_cache_write
    dollars_per_million = (
        (facts.input - read - written) * dollars(table.input_mtok)
        + read * dollars(table.cache_read_mtok)
        + (written - kept_long) * dollars(table.cache_write_mtok)
        + kept_long * dollars(table.cache_write_1h_mtok)
        + facts.output * dollars(table.output_mtok)
    )
    return dollars_per_million / 1_000_000


def table_of(model_name: str, seller: str) -> ModelPrice:
    """The entry of the longest name that this one begins with: what follows it is a date."""
    models = next(each.models for each in get_snapshot().providers if each.id == seller)
    named = [model for model in models if model_name.startswith(model.id)]
    prices = max(named, key=lambda model: len(model.id)).prices
    assert isinstance(prices, ModelPrice)
    return prices


def dollars(price: Decimal | TieredPrices | None) -> Decimal:
    """A dollar price a million; the recordings are too small for anything but the first tier."""
    found = price.base if isinstance(price, TieredPrices) else price
    return found or Decimal(0)
