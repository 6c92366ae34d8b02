"""Figures as people read them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from chatrecord.cli import figures
from chatrecord.cli.answer import cost_of
from chatrecord.records import Usage


@pytest.mark.parametrize(
    ("dollars", "told"),
    [
        (None, "-"),
        ("0", "$0.00"),
        ("0.00008", "$0.000080"),
        ("0.0033", "$0.0033"),
        ("0.25", "$0.2500"),
        ("12.3456", "$12.35"),
        ("1234.5", "$1,234.50"),
    ],
)
def test_money(dollars: str | None, told: str) -> None:
    assert figures.money(None if dollars is None else Decimal(dollars)) == told


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (5, "just now"),
        (65, "1 min ago"),
        (7300, "2 h ago"),
        (90_000, "1 day ago"),
        (200_000, "2 days ago"),
    ],
)
def test_age(seconds: int, told: str) -> None:
    assert figures.age(datetime.now(UTC) - timedelta(seconds=seconds)) == told


def test_an_unknown_cost_is_not_zero() -> None:
    assert cost_of(Usage(requests=1, unpriced_requests=1)) == "cost unknown"


def test_a_cost_known_in_part_says_so() -> None:
    usage = Usage(requests=3, unpriced_requests=1, cost=Decimal("0.5"))
    assert cost_of(usage) == "at least $0.5000 (1 of 3 unpriced)"


def test_a_cost_that_was_reported_says_so() -> None:
    usage = Usage(requests=2, reported_costs=2, cost=Decimal("0.5"))
    assert cost_of(usage) == "$0.5000 charged"
    assert cost_of(Usage(requests=2, reported_costs=1, cost=Decimal("0.5"))) == "$0.5000"
