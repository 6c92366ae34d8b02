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
    tokens = Tokens()
    cost: Decimal | None = None
    for attempt in attempts:
        tokens = added(tokens, attempt.tokens)
        cost = _sum(cost, attempt.cost)
    return Usage(
        input_tokens=tokens.input,
        output_tokens=tokens.output,
        cache_read_tokens=tokens.cache_read,
        cache_write_tokens=tokens.cache_write,
        reasoning_tokens=tokens.reasoning,
        requests=len(attempts),
        cost=cost,
        unpriced_requests=sum(attempt.cost is None for attempt in attempts),
        reported_costs=sum(attempt.cost_source == "reported" for attempt in attempts),
    )


def added(one: Tokens, other: Tokens) -> Tokens:
    """The tokens of two requests as one; what neither of them reported stays unknown."""
    return Tokens(
        input=_sum(one.input, other.input),
        output=_sum(one.output, other.output),
        cache_read=_sum(one.cache_read, other.cache_read),
        cache_write=_sum(one.cache_write, other.cache_write),
        reasoning=_sum(one.reasoning, other.reasoning),
    )


def together(one: Usage, other: Usage) -> Usage:
    """Two usages as one."""
    return Usage(
        input_tokens=_sum(one.input_tokens, other.input_tokens),
        output_tokens=_sum(one.output_tokens, other.output_tokens),
        cache_read_tokens=_sum(one.cache_read_tokens, other.cache_read_tokens),
        cache_write_tokens=_sum(one.cache_write_tokens, other.cache_write_tokens),
        reasoning_tokens=_sum(one.reasoning_tokens, other.reasoning_tokens),
        requests=one.requests + other.requests,
        cost=_sum(one.cost, other.cost),
        unpriced_requests=one.unpriced_requests + other.unpriced_requests,
        reported_costs=one.reported_costs + other.reported_costs,
    )


def _sum(one: Number | None, other: Number | None) -> Number | None:
    """`None` where neither is known."""
    if one is None:
        return other
    return one if other is None else one + other
