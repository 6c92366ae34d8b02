"""Tokens and money, as the provider reported them and as the price list has them."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import ModelPrice
from pydantic_ai.models import Model

from chatrecord.errors import ProviderError
from chatrecord.sqlalchemy import Database, create_chat

from .answers import Spent, says
from .conftest import (
    ANTHROPIC,
    GEMINI,
    OPENAI_CHAT,
    OPENAI_RESPONSES,
    PROVIDERS,
    ConnectModel,
    Provider,
)
from .rows import only_request
from .server import ProviderServer

SPENT = {
    "openai-chat": Spent(input=1000, output=200, cache_read=400, reasoning=64),
    "openai-responses": Spent(input=1000, output=200, cache_read=400, reasoning=64),
    "anthropic": Spent(input=1000, output=200, cache_read=400, cache_write=100, reasoning=64),
    "gemini": Spent(input=1000, output=200, cache_read=400, reasoning=64),
}


def price(provider: Provider) -> ModelPrice:
    """The price list's own figures, in dollars per million tokens."""
    _, model = get_snapshot().find_provider_model(provider.model_name, None, provider.system, None)
    assert isinstance(model.prices, ModelPrice)
    return model.prices


def cost_by_hand(provider: Provider, spent: Spent) -> Decimal:
    rate = price(provider)
    read, write = spent.cache_read or 0, spent.cache_write or 0
    dollars_per_million = (
        (spent.input - read - write) * dollars(rate.input_mtok)
        + read * dollars(rate.cache_read_mtok)
        + write * (dollars(rate.cache_write_mtok) if write else 0)
        + spent.output * dollars(rate.output_mtok)
    )
    return dollars_per_million / 1_000_000


def dollars(rate: object) -> Decimal:
    assert isinstance(rate, Decimal)
    return rate


async def test_every_token_count_of_the_provider_is_in_the_request(
    db: Database, llm: Model, server: ProviderServer, provider: Provider
) -> None:
    spent = SPENT[provider.name]
    server.script(says("Hello", spent=spent))
    chat = await create_chat(db, llm)
    await chat.ask("Hi")
    tokens = (await only_request(chat)).tokens
    assert (tokens.input, tokens.output, tokens.cache_read) == (1000, 200, 400)
    assert tokens.reasoning == 64
    assert (tokens.cache_write or 0) == (spent.cache_write or 0)


async def test_the_cost_is_the_price_list_times_the_tokens(
    db: Database, llm: Model, server: ProviderServer, provider: Provider
) -> None:
    spent = SPENT[provider.name]
    server.script(says("Hello", spent=spent))
    chat = await create_chat(db, llm)
    reply = await chat.ask("Hi")
    request = await only_request(chat)
    assert request.cost == cost_by_hand(provider, spent)
    assert reply.cost == request.cost
    assert request.price_source


async def test_the_chat_sums_what_its_requests_used(
    db: Database, llm: Model, server: ProviderServer, provider: Provider
) -> None:
    spent = SPENT[provider.name]
    server.script(says("One", spent=spent), says("Two", spent=spent))
    chat = await create_chat(db, llm)
    await chat.ask("First")
    await chat.ask("Second")
    usage = await chat.usage()
    assert (usage.requests, usage.input_tokens, usage.output_tokens) == (2, 2000, 400)
    assert usage.cost == 2 * cost_by_hand(provider, spent)


@pytest.mark.parametrize("provider", [OPENAI_CHAT, OPENAI_RESPONSES, GEMINI], ids=lambda p: p.name)
async def test_tokens_that_were_not_reported_are_null(
    db: Database, llm: Model, server: ProviderServer
) -> None:
    server.script(says("Hello", spent=None))
    chat = await create_chat(db, llm)
    reply = await chat.ask("Hi")
    request = await only_request(chat)
    tokens = request.tokens
    assert (tokens.input, tokens.output) == (None, None)
    assert (tokens.cache_read, tokens.cache_write, tokens.reasoning) == (None, None, None)
    assert (request.cost, reply.cost, reply.usage.input_tokens) == (None, None, None)


@pytest.mark.parametrize("provider", PROVIDERS, ids=lambda p: p.name)
async def test_details_that_were_not_reported_are_null(
    db: Database, llm: Model, server: ProviderServer
) -> None:
    server.script(
        says("Hello", spent=Spent(9, 3, cache_read=None, cache_write=None, reasoning=None))
    )
    chat = await create_chat(db, llm)
    await chat.ask("Hi")
    tokens = (await only_request(chat)).tokens
    assert (tokens.input, tokens.output) == (9, 3)
    assert (tokens.cache_read, tokens.cache_write, tokens.reasoning) == (None, None, None)


@pytest.mark.parametrize(
    "provider", [OPENAI_CHAT, OPENAI_RESPONSES, ANTHROPIC], ids=lambda p: p.name
)
async def test_a_detail_that_was_reported_as_0_is_0(
    db: Database, llm: Model, server: ProviderServer, provider: Provider
) -> None:
    """Gemini reports no zeros, and pydantic-ai drops those of Anthropic's reasoning."""
    server.script(says("Hello", spent=Spent(9, 3, cache_read=0, cache_write=0, reasoning=0)))
    chat = await create_chat(db, llm)
    await chat.ask("Hi")
    tokens = (await only_request(chat)).tokens
    is_openai = provider.system == "openai"
    assert tokens.cache_read == 0
    assert tokens.reasoning == (0 if is_openai else None)
    assert tokens.cache_write == (None if is_openai else 0)


@pytest.mark.parametrize("provider", [OPENAI_CHAT], ids=lambda p: p.name)
async def test_the_cost_of_a_model_without_a_price_is_null(
    db: Database, connect: ConnectModel, server: ProviderServer, provider: Provider
) -> None:
    server.script(says("Hello", spent=Spent(9, 3)))
    chat = await create_chat(db, connect(replace(provider, model_name="a-model-of-our-own")))
    reply = await chat.ask("Hi")
    request = await only_request(chat)
    assert (request.tokens.input, request.cost, request.price_source) == (9, None, None)
    assert (reply.cost, reply.usage.unpriced_requests) == (None, 1)


@pytest.mark.parametrize("provider", [OPENAI_CHAT, OPENAI_RESPONSES], ids=lambda p: p.name)
async def test_an_aborted_stream_has_no_tokens_and_no_cost(
    db: Database, llm: Model, server: ProviderServer
) -> None:
    server.script(says("Hello", ends="dropped"))
    chat = await create_chat(db, llm, retries=0)
    with pytest.raises(ProviderError):
        await chat.ask("Hi")
    request = await only_request(chat)
    assert (request.tokens.input, request.tokens.output, request.cost) == (None, None, None)
    assert (await chat.usage()).unpriced_requests == 1


@pytest.mark.parametrize("provider", [ANTHROPIC, GEMINI], ids=lambda p: p.name)
async def test_an_aborted_stream_keeps_the_tokens_that_were_reported(
    db: Database, llm: Model, server: ProviderServer
) -> None:
    server.script(says("Hello", ends="dropped"))
    chat = await create_chat(db, llm, retries=0)
    with pytest.raises(ProviderError):
        await chat.ask("Hi")
    assert (await only_request(chat)).tokens.input == 12


async def test_usage_that_comes_with_every_chunk_is_counted_once(
    db: Database, connect: ConnectModel, server: ProviderServer
) -> None:
    server.script(says("One ", "two ", "three.", spent=Spent(1000, 200), counts_as_it_goes=True))
    chat = await create_chat(db, connect(OPENAI_CHAT))

    reply = await chat.ask("Count")

    assert (reply.usage.input_tokens, reply.usage.output_tokens) == (1000, 200)


async def test_a_request_is_priced_by_its_service_tier(
    db: Database, connect: ConnectModel, server: ProviderServer
) -> None:
    standard, priority = says("Yes.", spent=Spent(1000, 200)), says("Yes.", spent=Spent(1000, 200))
    server.script(standard, replace(priority, tier="priority"))
    model = replace(OPENAI_CHAT, model_name="gpt-5-mini")
    chat = await create_chat(db, connect(model))

    first, second = await chat.ask("Hi"), await chat.ask("Quickly")

    assert first.usage.cost is not None
    assert second.usage.cost == first.usage.cost * Decimal("1.8")  # as genai-prices has it


@pytest.mark.parametrize(
    ("address", "model_name", "provider"),
    [
        ("https://api.groq.com/openai/v1", "llama-3.3-70b-versatile", "groq"),
        ("https://api.deepseek.com/v1", "deepseek-chat", "deepseek"),
        ("https://api.x.ai/v1", "grok-4", "x-ai"),
        ("https://eu.api.openai.com/v1", "gpt-4o", "openai"),
    ],
)
async def test_a_server_that_is_asked_with_openais_client_is_known_by_its_address(
    *,
    db: Database,
    connect: ConnectModel,
    server: ProviderServer,
    address: str,
    model_name: str,
    provider: str,
) -> None:
    server.script(says("Yes.", spent=Spent(1000, 200)))
    there = replace(OPENAI_CHAT, model_name=model_name, base_url=address)
    chat = await create_chat(db, connect(there))

    await chat.ask("Hi")

    request = await only_request(chat)
    assert request.provider == provider
    assert request.cost is not None
    assert request.cost > 0
