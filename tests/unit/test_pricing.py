"""Money is exact, and an unknown price is unknown, not nothing."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from genai_prices import Usage

from chatrecord import Limits
from chatrecord.errors import CostLimitExceeded, TokenLimitExceeded, UnknownPrice
from chatrecord.records import Usage as Spent
from chatrecord.spending.pricing import price
from chatrecord.values import Target

NOW = datetime(2026, 1, 1, tzinfo=UTC)
GPT_4O = Target(model="gpt-4o", provider="openai", streamed=True)


def test_a_known_model_is_priced_to_the_last_place() -> None:
    usage = Usage(input_tokens=1000, cache_read_tokens=400, output_tokens=10)

    found = price(usage, model="gpt-4o", provider="openai", at=NOW)

    assert found is not None
    by_hand = (600 * Decimal("2.5") + 400 * Decimal("1.25") + 10 * Decimal(10)) / 1_000_000
    assert found.amount == by_hand
    assert found.source.startswith("genai-prices ")


@pytest.mark.parametrize(
    ("model", "provider"),
    [("smollm2", "ollama"), ("no-such-model", "openai"), (None, "openai"), ("gpt-4o", None)],
)
def test_an_unknown_price_is_none(model: str | None, provider: str | None) -> None:
    assert price(Usage(input_tokens=1), model=model, provider=provider, at=NOW) is None


def test_usage_that_was_not_reported_has_no_price() -> None:
    assert price(None, model="gpt-4o", provider="openai", at=NOW) is None


def check(limits: Limits, *, run: Spent = Spent(), chat: Spent = Spent()) -> None:
    limits.check_spending(GPT_4O, estimate=lambda: 1000, run=run, chat=chat)


def test_a_cost_limit_counts_the_input_about_to_be_sent() -> None:
    check(Limits(cost=Decimal("0.0025")))
    with pytest.raises(CostLimitExceeded, match=r"\$0\.0025.*\$0\.0024 is allowed"):
        check(Limits(cost=Decimal("0.0024")))
    with pytest.raises(CostLimitExceeded, match="chat_cost"):
        check(Limits(chat_cost=Decimal(1)), chat=Spent(cost=Decimal("0.999")))


def test_a_token_limit_counts_the_input_about_to_be_sent() -> None:
    check(Limits(tokens=1500), run=Spent(input_tokens=400, output_tokens=100))
    with pytest.raises(TokenLimitExceeded, match="about 1000 tokens, 501 of 1500 are used"):
        check(Limits(tokens=1500), run=Spent(input_tokens=401, output_tokens=100))
    with pytest.raises(TokenLimitExceeded, match="chat_tokens"):
        check(Limits(chat_tokens=1500), chat=Spent(input_tokens=501))


def test_a_cost_limit_on_a_model_without_a_price_says_that_it_cannot_be_kept() -> None:
    local = Target(model="smollm2", provider="ollama", streamed=True)

    with pytest.raises(UnknownPrice, match="ollama:smollm2"):
        Limits(cost=Decimal(1)).check_spending(local, estimate=int, run=Spent(), chat=Spent())
