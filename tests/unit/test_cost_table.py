"""The table of costs in the docs: by hand, by the price table, and as it is printed."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from importlib.metadata import version
from pathlib import Path

import pytest
from genai_prices import Usage

from chatrecord.spending.pricing import price

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "costs.md"
CHECKED_WITH = "0.2.3"
"""The genai-prices whose table was checked: a later one may have later prices."""

AT = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)
"""A Monday at noon: at no provider's peak hours."""


SOURCES = {
    "openai": "https://developers.openai.com/api/docs/pricing",
    "anthropic": "https://platform.claude.com/docs/en/about-claude/pricing",
    "google": "https://ai.google.dev/gemini-api/docs/pricing",
    "deepseek": "https://api-docs.deepseek.com/quick_start/pricing",
    "x-ai": "https://docs.x.ai/docs/models",
    "groq": "https://groq.com/pricing",
    "mistral": "https://mistral.ai/pricing",
    "cohere": "https://cohere.com/pricing",
    "bedrock": "https://aws.amazon.com/bedrock/pricing/",
    "moonshotai": "https://platform.kimi.ai/docs/pricing/chat-k26",
    "zai": "https://docs.z.ai/guides/overview/pricing",
    "cerebras": "https://www.cerebras.ai/pricing",
}
"""The price list of each provider."""


@dataclass(frozen=True)
class Request:
    """What a request used, and each count of it with its price for a million (or a thousand)."""

    provider: str
    model: str
    what: str
    usage: dict[str, int]
    by_hand: tuple[tuple[int, str], ...]
    searches: tuple[int, str] | None = None
    """Searches, and their price for a thousand."""
    context: dict[str, str] = field(default_factory=dict)
    at: datetime = AT

    @property
    def cost(self) -> Decimal:
        tokens = sum(count * Decimal(dollars) for count, dollars in self.by_hand)
        searches = self.searches[0] * Decimal(self.searches[1]) if self.searches else Decimal(0)
        return tokens / 1_000_000 + searches / 1_000

    @property
    def line(self) -> str:
        terms = [f"{count:,} x ${dollars}" for count, dollars in self.by_hand]
        if self.searches:
            terms.append(f"{self.searches[0]} x ${self.searches[1]} / 1,000")
        cost = f"{self.cost:f}".rstrip("0")
        return (
            f"| `{self.model}` | {self.what} | {' + '.join(terms)} | ${cost} | "
            f"[{self.provider}]({SOURCES[self.provider]}) |"
        )


REQUESTS = (
    Request(
        "openai",
        "gpt-5.2",
        "10,000 in, 6,000 of them cached; 2,000 out, 1,500 of them reasoning; tier `flex`",
        {
            "input_tokens": 10_000,
            "cache_read_tokens": 6_000,
            "output_tokens": 2_000,
            "output_reasoning_tokens": 1_500,
        },
        ((4_000, "0.875"), (6_000, "0.0875"), (2_000, "7")),
        context={"service_tier": "flex"},
    ),
    Request(
        "openai",
        "gpt-5-mini",
        "10,000 in, 1,000 out, 2 web searches; tier `priority`",
        {"input_tokens": 10_000, "output_tokens": 1_000, "web_searches": 2},
        ((10_000, "0.45"), (1_000, "3.6")),
        searches=(2, "10"),
        context={"service_tier": "priority"},
    ),
    Request(
        "anthropic",
        "claude-opus-4-8",
        "20,000 in: 10,000 read from the cache, 4,000 written for 5 minutes, 2,000 for an hour; "
        "1,000 out; 3 web searches",
        {
            "input_tokens": 20_000,
            "cache_read_tokens": 10_000,
            "cache_write_tokens": 6_000,
            "cache_write_5m_tokens": 4_000,
            "cache_write_1h_tokens": 2_000,
            "output_tokens": 1_000,
            "web_searches": 3,
        },
        ((4_000, "5"), (10_000, "0.5"), (4_000, "6.25"), (2_000, "10"), (1_000, "25")),
        searches=(3, "10"),
    ),
    Request(
        "anthropic",
        "claude-haiku-4-5",
        "10,000 in, 1,000 out, in a batch",
        {"input_tokens": 10_000, "output_tokens": 1_000},
        ((10_000, "0.5"), (1_000, "2.5")),
        context={"processing": "batch"},
    ),
    Request(
        "google",
        "gemini-2.5-pro",
        "250,000 in (above 200,000), 100,000 of them cached; 3,000 out, 2,000 of them reasoning",
        {
            "input_tokens": 250_000,
            "cache_read_tokens": 100_000,
            "output_tokens": 3_000,
            "output_reasoning_tokens": 2_000,
        },
        ((150_000, "2.5"), (100_000, "0.25"), (3_000, "15")),
    ),
    Request(
        "google",
        "gemini-2.5-flash",
        "5,000 in, 2,000 of them audio; 500 out",
        {"input_tokens": 5_000, "input_audio_tokens": 2_000, "output_tokens": 500},
        ((3_000, "0.3"), (2_000, "1"), (500, "2.5")),
    ),
    Request(
        "deepseek",
        "deepseek-v4-flash",
        "10,000 in, 8,000 of them cached; 1,000 out; at 02:00 UTC on a Monday (peak)",
        {"input_tokens": 10_000, "cache_read_tokens": 8_000, "output_tokens": 1_000},
        ((2_000, "0.3"), (8_000, "0.006"), (1_000, "1.2")),
        at=AT.replace(hour=2),
    ),
    Request(
        "x-ai",
        "grok-4.3",
        "300,000 in (from 200,000 on), 100,000 of them cached; 2,000 out",
        {"input_tokens": 300_000, "cache_read_tokens": 100_000, "output_tokens": 2_000},
        ((200_000, "2.5"), (100_000, "0.4"), (2_000, "5")),
    ),
    Request(
        "groq",
        "llama-3.3-70b-versatile",
        "10,000 in, 1,000 out",
        {"input_tokens": 10_000, "output_tokens": 1_000},
        ((10_000, "0.59"), (1_000, "0.79")),
    ),
    Request(
        "mistral",
        "mistral-medium-latest",
        "10,000 in, 4,000 of them cached; 1,000 out",
        {"input_tokens": 10_000, "cache_read_tokens": 4_000, "output_tokens": 1_000},
        ((6_000, "1.5"), (4_000, "0.15"), (1_000, "7.5")),
    ),
    Request(
        "cohere",
        "command-a-03-2025",
        "10,000 in, 1,000 out",
        {"input_tokens": 10_000, "output_tokens": 1_000},
        ((10_000, "2.5"), (1_000, "10")),
    ),
    Request(
        "bedrock",
        "amazon.nova-pro-v1:0",
        "10,000 in, 5,000 of them cached; 1,000 out",
        {"input_tokens": 10_000, "cache_read_tokens": 5_000, "output_tokens": 1_000},
        ((5_000, "0.8"), (5_000, "0.2"), (1_000, "3.2")),
    ),
    Request(
        "moonshotai",
        "kimi-k2.6",
        "10,000 in, 7,000 of them cached; 1,000 out",
        {"input_tokens": 10_000, "cache_read_tokens": 7_000, "output_tokens": 1_000},
        ((3_000, "0.95"), (7_000, "0.16"), (1_000, "4")),
    ),
    Request(
        "zai",
        "glm-4.6",
        "10,000 in, 5,000 of them cached; 2,000 out, 1,000 of them reasoning",
        {
            "input_tokens": 10_000,
            "cache_read_tokens": 5_000,
            "output_tokens": 2_000,
            "output_reasoning_tokens": 1_000,
        },
        ((5_000, "0.6"), (5_000, "0.11"), (2_000, "2.2")),
    ),
    Request(
        "cerebras",
        "gpt-oss-120b",
        "10,000 in, 1,000 out",
        {"input_tokens": 10_000, "output_tokens": 1_000},
        ((10_000, "0.35"), (1_000, "0.75")),
    ),
)
REQUEST = pytest.mark.parametrize("request_", REQUESTS, ids=lambda one: one.model)


def test_the_table_has_twelve_providers() -> None:
    assert len({request.provider for request in REQUESTS}) >= 12


@REQUEST
def test_a_cost_of_the_table_is_what_a_request_costs(request_: Request) -> None:
    if version("genai-prices") != CHECKED_WITH:
        pytest.skip(f"the table was checked with genai-prices {CHECKED_WITH}")
    found = price(
        Usage(**request_.usage),
        model=request_.model,
        provider=request_.provider,
        at=request_.at,
        context=request_.context,
    )
    assert found is not None
    assert found.amount == request_.cost


@REQUEST
def test_the_page_shows_how_the_cost_is_calculated(request_: Request) -> None:
    page = PAGE.read_text("utf-8")
    assert request_.line in page
    assert f"genai-prices {CHECKED_WITH}" in page
