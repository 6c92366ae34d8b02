"""Prices of your own: for models that you host, for contracts and for proxies."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from chatrecord import Budget, Limits
from chatrecord.errors import BudgetExceeded, ConfigurationError, CostLimitExceeded
from chatrecord.sqlalchemy import Database, TokenPrices, create_chat, load_chat

from .answers import Spent, says
from .conftest import OPENAI_CHAT, ConnectModel, Provider
from .rows import only_request
from .server import ProviderServer
from .test_costs import BY_LIST, OPENAIS, SPENT, at, spent


@asynccontextmanager
async def priced(path: Path, prices: Any) -> AsyncIterator[Database]:
    async with Database(f"sqlite:///{path}", prices=prices) as db:
        await db.create_tables()
        yield db


RATE = TokenPrices(input=Decimal(1), output=Decimal(2))
BY_RATE = Decimal("0.0014")


@OPENAIS
@pytest.mark.parametrize(
    "prices",
    [
        {"gpt-4o": RATE},
        {"localhost:8000:gpt-4o": RATE, "gpt-4o": TokenPrices(input=Decimal(9), output=Decimal(9))},
        {"localhost:8000:*": RATE, "other": TokenPrices(input=Decimal(9), output=Decimal(9))},
        lambda model, provider: RATE if provider == "localhost:8000" else None,
    ],
    ids=["model", "model-of-provider", "provider", "function"],
)
async def test_your_own_price_counts(
    tmp_path: Path,
    connect: ConnectModel,
    server: ProviderServer,
    provider: Provider,
    prices: Any,
) -> None:
    server.script(says("Yes.", spent=spent(cost=5)))
    async with priced(tmp_path / "own.db", prices) as db:
        chat = await create_chat(db, connect(at(provider, "http://localhost:8000/v1")))
        reply = await chat.ask("Hi")
        request = await only_request(chat)

    assert (request.cost, request.price_source) == (BY_RATE, "own prices")
    assert (reply.cost, reply.cost_source) == (BY_RATE, "computed")


async def test_cached_and_reasoning_tokens_have_prices_of_their_own(
    tmp_path: Path, connect: ConnectModel, server: ProviderServer
) -> None:
    server.script(says("Yes.", spent=Spent(1000, 200, cache_read=400, reasoning=64)))
    rate = TokenPrices(
        input=Decimal(2), output=Decimal(10), cache_read=Decimal("0.5"), reasoning=Decimal(20)
    )
    async with priced(tmp_path / "own.db", {"gpt-4o": rate}) as db:
        chat = await create_chat(db, connect(OPENAI_CHAT))
        await chat.ask("Hi")
        request = await only_request(chat)

    by_hand = (600 * 2 + 400 * Decimal("0.5") + 136 * 10 + 64 * 20) / Decimal(10**6)
    assert (request.cost, request.list_cost) == (by_hand, Decimal("0.004"))


async def test_a_proxy_is_priced_by_the_list_of_the_provider_behind_it_if_you_say_so(
    tmp_path: Path, connect: ConnectModel, server: ProviderServer
) -> None:
    server.script(says("Yes.", spent=SPENT), says("Yes.", spent=spent(cost=0.0031)))
    there = connect(at(OPENAI_CHAT, "https://llm.example.com/v1"))
    async with priced(tmp_path / "own.db", {"llm.example.com:*": "openai"}) as db:
        chat = await create_chat(db, there)
        await chat.ask("Hi")
        await chat.ask("Again")
        silent, told = await chat.requests()

    assert (silent.provider, silent.cost, silent.list_cost) == ("llm.example.com", BY_LIST, BY_LIST)
    assert (silent.price_source or "").startswith("genai-prices ")
    assert (told.cost, told.list_cost) == (Decimal("0.0031"), BY_LIST)


async def test_limits_and_budgets_know_your_prices(
    tmp_path: Path, connect: ConnectModel, server: ProviderServer
) -> None:
    server.script(says("Yes.", spent=SPENT))
    local = connect(at(OPENAI_CHAT, "http://localhost:8000/v1"))
    budget = Budget(cost=BY_RATE, per="day", by="user_id")
    async with priced(tmp_path / "own.db", {"gpt-4o": RATE}) as db:
        limits = Limits(cost=Decimal(1))
        chat = await create_chat(db, local, user_id="u1", budgets=[budget], limits=limits)
        await chat.ask("Hi")
        with pytest.raises(BudgetExceeded):
            await chat.ask("Again")
        with pytest.raises(CostLimitExceeded):
            await (await load_chat(db, local, chat.id, limits=Limits(chat_cost=BY_RATE))).ask(
                "Again"
            )


async def test_a_function_of_prices_that_fails_costs_no_answer(
    tmp_path: Path,
    connect: ConnectModel,
    server: ProviderServer,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def prices(model: str, provider: str | None) -> TokenPrices:
        raise KeyError(model)

    server.script(says("Yes.", spent=SPENT))
    async with priced(tmp_path / "own.db", prices) as db:
        chat = await create_chat(db, connect(OPENAI_CHAT))
        reply = await chat.ask("Hi")

    assert (reply.text, reply.cost) == ("Yes.", BY_LIST)
    assert "prices= failed for openai:gpt-4o" in caplog.text


@pytest.mark.parametrize(
    ("prices", "says_what"),
    [
        ("openai", "a mapping or a function"),
        ({1: "openai"}, "as keys"),
        ({"gpt-4o": "no-such-provider"}, "knows no provider"),
        ({"gpt-4o": 2.5}, "takes TokenPrices"),
    ],
)
def test_prices_that_cannot_work_are_refused(prices: Any, says_what: str) -> None:
    with pytest.raises(ConfigurationError, match=says_what):
        Database("sqlite://", prices=prices)
    with pytest.raises(ValueError, match="from 0 on"):
        TokenPrices(input=Decimal(-1), output=Decimal(1))
