"""Adding up what requests have used."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import TypeVar

from chatrecord.records import ApiRequest, Tokens, Usage

Number = TypeVar("Number", int, Decimal)


def usage_of(requests: Iterable[ApiRequest]) -> Usage:
    """What these attempts at providers have used together."""
    attempts = list(requests)
    return Usage(
        input_tokens=_sum(attempt.tokens.input for attempt in attempts),
        output_tokens=_sum(attempt.tokens.output for attempt in attempts),
        cache_read_tokens=_sum(attempt.tokens.cache_read for attempt in attempts),
        cache_write_tokens=_sum(attempt.tokens.cache_write for attempt in attempts),
        reasoning_tokens=_sum(attempt.tokens.reasoning for attempt in attempts),
        requests=len(attempts),
        cost=_sum(attempt.cost for attempt in attempts),
        unpriced_requests=sum(attempt.cost is None for attempt in attempts),
        reported_costs=sum(attempt.cost_source == "reported" for attempt in attempts),
    )


def added(one: Tokens, other: Tokens) -> Tokens:
    """The tokens of two requests as one; what neither of them reported stays unknown."""
    return Tokens(
        input=_sum([one.input, other.input]),
        output=_sum([one.output, other.output]),
        cache_read=_sum([one.cache_read, other.cache_read]),
        cache_write=_sum([one.cache_write, other.cache_write]),
        reasoning=_sum([one.reasoning, other.reasoning]),
    )


def together(one: Usage, other: Usage) -> Usage:
    """Two usages as one."""
    return Usage(
        input_tokens=_sum([one.input_tokens, other.input_tokens]),
        output_tokens=_sum([one.output_tokens, other.output_tokens]),
        cache_read_tokens=_sum([one.cache_read_tokens, other.cache_read_tokens]),
        cache_write_tokens=_sum([one.cache_write_tokens, other.cache_write_tokens]),
        reasoning_tokens=_sum([one.reasoning_tokens, other.reasoning_tokens]),
        requests=one.requests + other.requests,
        cost=_sum([one.cost, other.cost]),
        unpriced_requests=one.unpriced_requests + other.unpriced_requests,
        reported_costs=one.reported_costs + other.reported_costs,
    )


def _sum(values: Iterable[Number | None]) -> Number | None:
    known = [value for value in values if value is not None]
    if not known:
        return None
    total = known[0]
    for value in known[1:]:
        total += value
    return total
