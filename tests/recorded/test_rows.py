"""The rows of a recorded chat say what its raw bodies say, whichever provider it was."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from chatrecord.errors import ContextTooLong
from chatrecord.records import ApiRequest, Message, Tokens, ToolCall
from chatrecord.sqlalchemy import Database

from .conversation import Held, hold
from .facts import ResponseFacts
from .prices import SELLERS, cost_of
from .recordings import Exchange, Recording, parameters
from .wires import wire_of

every_answer = pytest.mark.parametrize("recording", list(parameters(answers=True)))
every_refusal = pytest.mark.parametrize("recording", list(parameters(answers=False)))
both_ways = pytest.mark.parametrize("streamed", [True, False], ids=["streamed", "whole"])

PLACES = Decimal(1).scaleb(-12)


@both_ways
@every_answer
async def test_the_rows_of_an_answer_match_the_providers_response(
    db: Database, recording: Recording, streamed: bool
) -> None:
    held = await hold(db, recording, streamed=streamed)
    rows = await rows_of(held)
    for exchange, row in zip(recording.exchanges, rows, strict=True):
        assert row == expected(exchange, streamed=streamed)


def expected(exchange: Exchange, *, streamed: bool) -> dict[str, Any]:
    facts, name = facts_of(exchange), wire_of(exchange).provider_name
    return {
        "status": ("complete", "complete"),
        "http_status": 200,
        "error": None,
        "streamed": streamed,
        "provider": (SELLERS[name], SELLERS[name]),
        "model": (facts.model, facts.model),
        "provider_request_id": facts.response_id,
        "text": facts.text,
        "reasoning": facts.reasoning,
        "calls": [(name, arguments) for _, name, arguments in facts.calls],
        "finish_reason": facts.finish_reason,
        "input": (facts.input, facts.input),
        "output": (facts.output, facts.output),
        "cache_read": (facts.cache_read, facts.cache_read),
        "cache_write": (facts.cache_write, facts.cache_write),
        "reasoning_tokens": (facts.reasoning_tokens, facts.reasoning_tokens),
        "cost": cost_of(facts, name).quantize(PLACES),
    }


async def rows_of(held: Held) -> list[dict[str, Any]]:
    """Each request with the message it brought and the calls in it; what both say stands twice."""
    messages = {message.id: message for message in await held.chat.messages(limit=100)}
    calls = await held.chat.tool_calls()
    return [
        row_of(request, messages[request.message_id], calls)
        for request in await held.chat.requests()
        if request.message_id is not None
    ]


def row_of(request: ApiRequest, message: Message, calls: list[ToolCall]) -> dict[str, Any]:
    mine, its = request.tokens, message.tokens
    return {
        "status": (request.status, message.status),
        "http_status": request.http_status,
        "error": request.error,
        "streamed": request.streamed,
        "provider": (request.provider, message.provider),
        "model": (request.model, message.model),
        "provider_request_id": request.provider_request_id,
        "text": message.text,
        "reasoning": message.reasoning,
        "calls": [(call.name, call.arguments) for call in calls if call.message_id == message.id],
        "finish_reason": message.finish_reason,
        "input": (mine.input, its.input),
        "output": (mine.output, its.output),
        "cache_read": (mine.cache_read, its.cache_read),
        "cache_write": (mine.cache_write, its.cache_write),
        "reasoning_tokens": (mine.reasoning, its.reasoning),
        "cost": request.cost,
    }


def facts_of(exchange: Exchange) -> ResponseFacts:
    wire = wire_of(exchange)
    whole = wire.whole_of(exchange.body) if exchange.is_streamed else json.loads(exchange.body)
    return wire.read(whole)


@both_ways
@every_refusal
async def test_the_row_of_a_refusal_says_why_in_the_providers_words(
    db: Database, recording: Recording, streamed: bool
) -> None:
    (exchange,) = recording.exchanges
    held = await hold(db, recording, streamed=streamed)
    (request,) = await held.chat.requests()
    words = wire_of(exchange).refused(json.loads(exchange.body))
    assert (request.status, request.http_status) == ("failed", exchange.status)
    assert words in (request.error or "")
    assert request.provider_request_id == request_id(exchange)
    assert (request.tokens, request.cost, request.price_source) == (Tokens(), None, None)
    assert held.error is not None
    assert (held.error.http_status, words in str(held.error)) == (exchange.status, True)
    assert isinstance(held.error, ContextTooLong) == ("context_length" in recording.name)


def request_id(exchange: Exchange) -> str | None:
    """OpenAI and Anthropic name a request in a header, Gemini does not."""
    return exchange.headers.get("x-request-id") or exchange.headers.get("request-id")
