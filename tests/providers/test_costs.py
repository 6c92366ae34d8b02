"""What a request cost: as its provider reported it, by prices of your own, or by the list."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import httpx2
import pytest
from anthropic import AsyncAnthropic
from anthropic import DefaultAsyncHttpxClient as AnthropicHttp
from pydantic_ai import Agent
from pydantic_ai.models import Model
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.openrouter import OpenRouterModel
from pydantic_ai.models.wrapper import WrapperModel
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.openrouter import OpenRouterProvider

from chatrecord import Budget, Limits
from chatrecord.errors import BudgetExceeded, UnknownPrice
from chatrecord.pydantic_ai import Persisted
from chatrecord.sqlalchemy import Database, create_chat, usage
from rerouted import Rerouted

from .answers import Spent, says
from .conftest import ANTHROPIC, OPENAI_CHAT, OPENAI_RESPONSES, ConnectModel, Provider
from .rows import only_request
from .server import ProviderServer

SPENT = Spent(1000, 200)
BY_LIST = Decimal("0.0045")
"""1,000 tokens at $2.50 and 200 at $10.00 a million: gpt-4o."""

OPENAIS = pytest.mark.parametrize("provider", [OPENAI_CHAT, OPENAI_RESPONSES], ids=lambda p: p.name)
STREAMS = pytest.mark.parametrize("streaming", [True, False], ids=["streamed", "whole"])


def at(provider: Provider, address: str, model_name: str = "gpt-4o") -> Provider:
    return replace(provider, model_name=model_name, base_url=address)


def spent(**also: Any) -> Spent:
    return replace(SPENT, also=also)


# The address


@OPENAIS
@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("http://localhost:8000/v1", "localhost:8000"),
        ("https://user:secret@llm.example.com/v1", "llm.example.com"),
        ("http://openai-proxy/v1", "openai-proxy"),
    ],
)
async def test_a_server_at_an_unknown_address_has_no_list_price(
    *,
    db: Database,
    connect: ConnectModel,
    server: ProviderServer,
    provider: Provider,
    address: str,
    host: str,
) -> None:
    """It may call its model whatever it likes."""
    server.script(says("Yes.", spent=SPENT))
    chat = await create_chat(db, connect(at(provider, address)))

    reply = await chat.ask("Hi")

    request = await only_request(chat)
    assert (request.provider, request.model) == (host, "gpt-4o")
    assert (request.cost, request.list_cost, request.price_source) == (None, None, None)
    assert (reply.cost, reply.cost_source) == (None, "unknown")


async def test_a_server_of_anthropics_protocol_is_known_by_its_address_too(
    db: Database, server: ProviderServer
) -> None:
    server.script(says("Yes.", spent=SPENT))
    async with AnthropicHttp(transport=Rerouted(server.address)) as http:
        client = AsyncAnthropic(
            api_key="sk-ant-x", base_url="https://llm.example.com", http_client=http
        )
        model = AnthropicModel(
            "claude-haiku-4-5", provider=AnthropicProvider(anthropic_client=client)
        )
        chat = await create_chat(db, model)
        await chat.ask("Hi")

    request = await only_request(chat)
    assert (request.provider, request.cost) == ("llm.example.com", None)


async def test_a_cost_limit_at_an_unknown_address_says_that_it_has_no_price(
    db: Database, connect: ConnectModel
) -> None:
    there = connect(at(OPENAI_CHAT, "http://localhost:8000/v1"))
    chat = await create_chat(db, there, limits=Limits(cost=Decimal(1)))

    with pytest.raises(UnknownPrice, match=r"localhost:8000:gpt-4o.*prices="):
        await chat.ask("Hi")


# What the provider reports


@OPENAIS
@STREAMS
@pytest.mark.parametrize(
    ("also", "cost"),
    [
        ({"cost": 0.0031, "is_byok": False}, "0.0031"),  # OpenRouter, LiteLLM
        (
            {
                "cost": 0.0002,
                "is_byok": True,
                "cost_details": {"upstream_inference_cost": 0.004},
            },
            "0.0042",
        ),
        ({"cost": 0}, "0"),
        ({"cost": {"input_tokens_cost": 0.001, "total_cost": 0.006}}, "0.006"),  # Perplexity
        ({"cost_in_usd_ticks": 37756000}, "0.0037756"),  # xAI
        ({"estimated_cost": 0.0000275}, "0.0000275"),  # DeepInfra
    ],
    ids=["amount", "own-key", "free", "total", "ticks", "estimate"],
)
async def test_what_the_provider_says_that_it_charged_counts(
    *,
    db: Database,
    connect: ConnectModel,
    server: ProviderServer,
    provider: Provider,
    streaming: bool,
    also: dict[str, Any],
    cost: str,
) -> None:
    server.script(says("Yes.", spent=spent(**also)), says("No.", spent=SPENT))
    model = connect(at(provider, "https://llm.example.com/v1"))
    chat = await create_chat(db, model, user_id="u1", streaming=streaming)

    reply = await chat.ask("Hi")

    request = await only_request(chat)
    assert (request.cost, request.price_source) == (Decimal(cost), "provider")
    assert (request.cost_source, request.list_cost) == ("reported", None)
    assert (reply.cost, reply.cost_source) == (Decimal(cost), "reported")
    assert (await chat.usage()).cost == Decimal(cost)

    silent = await chat.ask("And now?")  # its model, which is the application's, was not changed
    assert silent.cost is None


@OPENAIS
async def test_the_list_price_stands_beside_what_was_charged(
    db: Database, connect: ConnectModel, server: ProviderServer, provider: Provider
) -> None:
    server.script(says("Yes.", spent=spent(cost=0.0031)))
    chat = await create_chat(db, connect(replace(provider, model_name="gpt-4o")))

    await chat.ask("Hi")

    request = await only_request(chat)
    assert (request.cost, request.list_cost) == (Decimal("0.0031"), BY_LIST)


@pytest.mark.parametrize("amount", ["nonsense", -1, "NaN", float(10**9), True, None, [1], {}])
async def test_an_amount_that_is_none_is_not_believed(
    db: Database, connect: ConnectModel, server: ProviderServer, amount: object
) -> None:
    server.script(says("Yes.", spent=spent(cost=amount)))
    chat = await create_chat(db, connect(OPENAI_CHAT))

    await chat.ask("Hi")

    request = await only_request(chat)
    assert (request.cost, request.cost_source) == (BY_LIST, "computed")


@OPENAIS
async def test_an_amount_counts_where_a_server_does_not_stream(
    db: Database, connect: ConnectModel, server: ProviderServer, provider: Provider
) -> None:
    server.script(says("Yes.", spent=spent(cost=0.0031), plain=True))
    chat = await create_chat(db, connect(provider))

    await chat.ask("Hi")

    assert (await only_request(chat)).cost == Decimal("0.0031")


async def test_an_amount_in_anthropics_protocol_counts(
    db: Database, connect: ConnectModel, server: ProviderServer
) -> None:
    """LiteLLM's proxy adds it to the last event of a stream."""
    server.script(says("Yes.", spent=spent(cost=0.0031)))
    chat = await create_chat(db, connect(ANTHROPIC))

    reply = await chat.ask("Hi")

    request = await only_request(chat)
    assert (request.cost, reply.cost_source) == (Decimal("0.0031"), "reported")
    assert request.list_cost == Decimal("0.002")


@STREAMS
async def test_a_wrapped_model_reports_too(
    db: Database, connect: ConnectModel, server: ProviderServer, streaming: bool
) -> None:
    server.script(says("Yes.", spent=spent(cost=0.0031)))
    chat = await create_chat(db, WrapperModel(connect(OPENAI_CHAT)), streaming=streaming)

    await chat.ask("Hi")

    assert (await only_request(chat)).cost == Decimal("0.0031")


@STREAMS
async def test_an_amount_of_pydantic_ais_gateway_counts(
    db: Database, connect: ConnectModel, server: ProviderServer, streaming: bool
) -> None:
    server.script(says("Yes.", spent=spent(logfire_ai_gateway={"cost": "0.0038"})))
    gateway = at(OPENAI_CHAT, "https://gateway-us.pydantic.dev/proxy/openai/v1")
    chat = await create_chat(db, connect(gateway), streaming=streaming)

    await chat.ask("Hi")

    request = await only_request(chat)
    assert (request.provider, request.cost) == ("openai", Decimal("0.0038"))
    assert (request.cost_source, request.list_cost) == ("reported", BY_LIST)


async def test_an_estimate_of_an_agent_is_not_taken_for_what_was_charged(
    db: Database, connect: ConnectModel, server: ProviderServer
) -> None:
    """Where an agent handles its own events, it has the response before its row is written."""
    server.script(says("Yes.", spent=SPENT))
    agent = Agent(connect(OPENAI_CHAT), capabilities=[Persisted(db, user_id="u1")])

    async with agent.run_stream_events("Hi") as events:
        async for _ in events:
            pass

    (row,) = await usage(db)
    assert (row.usage.cost, row.usage.cost_source) == (BY_LIST, "computed")


async def test_an_agent_of_ones_own_reports_what_was_charged(
    db: Database, connect: ConnectModel, server: ProviderServer
) -> None:
    server.script(says("Yes.", spent=spent(cost=0.0031)))
    agent = Agent(connect(OPENAI_CHAT), capabilities=[Persisted(db, user_id="u1")])

    async with agent.run_stream_events("Hi") as events:
        async for _ in events:
            pass

    (row,) = await usage(db)
    assert (row.usage.cost, row.usage.cost_source) == (Decimal("0.0031"), "reported")


async def test_reports_and_budgets_count_what_was_charged(
    db: Database, connect: ConnectModel, server: ProviderServer
) -> None:
    server.script(*[says("Yes.", spent=spent(cost=0.5)) for _ in range(2)])
    model = connect(OPENAI_CHAT)
    budget = Budget(cost=Decimal(1), per="day", by="user_id", most=Decimal("0.1"))
    chat = await create_chat(db, model, user_id="u1", budgets=[budget])
    await chat.ask("Hi")
    await chat.ask("Again")

    with pytest.raises(BudgetExceeded, match=r"\$1\.0"):
        await chat.ask("And again")

    (row,) = await usage(db, user_id="u1")
    assert (row.usage.cost, row.usage.reported_costs) == (Decimal(1), 2)


# OpenRouter's own model


@STREAMS
@pytest.mark.parametrize(("cost", "expected"), [(0.0031, "0.0031"), (0, "0")])
async def test_openrouters_own_figure_counts(
    db: Database, server: ProviderServer, streaming: bool, cost: float, expected: str
) -> None:
    server.script(says("Yes.", spent=spent(cost=cost, is_byok=False)))
    async with httpx2.AsyncClient(transport=Rerouted(server.address)) as http:
        provider = OpenRouterProvider(api_key="sk-or-x", http_client=http)
        model: Model = OpenRouterModel("openai/gpt-4o", provider=provider)
        chat = await create_chat(db, model, streaming=streaming)
        await chat.ask("Hi")

    request = await only_request(chat)
    assert (request.provider, request.cost) == ("openrouter", Decimal(expected))
    assert request.cost_source == "reported"
    assert request.list_cost == BY_LIST
