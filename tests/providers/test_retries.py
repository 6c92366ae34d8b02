"""A provider that says no is asked again, as long as nothing of an answer has come."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from google import genai
from google.genai.types import HttpOptions
from pydantic_ai.models import Model
from pydantic_ai.models.google import GoogleModel
from pydantic_ai.models.test import TestModel
from pydantic_ai.providers.google import GoogleProvider

from chatrecord.errors import ContextTooLong, ProviderError, RateLimited
from chatrecord.pydantic_ai.provider import without_hidden_retries
from chatrecord.sqlalchemy import Database, create_chat

from .answers import (
    Answer,
    Call,
    Refusal,
    Scripted,
    bad_gateway,
    context_too_long,
    out_of_quota,
    overloaded,
    rate_limited,
    says,
    server_error,
    unauthorised,
)
from .conftest import ANTHROPIC, GEMINI, OPENAI_CHAT, OPENAI_RESPONSES, ConnectModel, Provider
from .rows import answers, settled, until
from .server import ProviderServer

PASSING: dict[str, Scripted] = {
    "rate limit": rate_limited(0.05),
    "rate limit, at once": rate_limited(0),
    "server error": server_error(retry_after=0),
    "gateway": bad_gateway(),
    "hung up": Answer(ends="hung_up"),
}
FOR_GOOD: dict[str, Refusal] = {
    "unauthorised": unauthorised("sk-wrong"),
    "context": context_too_long(),
}


@pytest.mark.parametrize("trouble", PASSING.values(), ids=PASSING)
async def test_trouble_that_passes_is_two_requests_and_one_answer(
    db: Database, llm: Model, server: ProviderServer, trouble: Scripted
) -> None:
    server.script(trouble, says("Hello"))
    chat = await create_chat(db, llm, retries=2)
    reply = await chat.ask("Hi")
    first, second = await chat.requests()
    assert (first.status, second.status) == ("failed", "complete")
    assert first.error_type
    assert first.http_status == (trouble.status if isinstance(trouble, Refusal) else None)
    assert reply.text == "Hello"
    assert [message.text for message in await answers(chat)] == ["Hello"]


async def test_every_attempt_is_counted(db: Database, llm: Model, server: ProviderServer) -> None:
    server.script(rate_limited(0), says("Hello"))
    chat = await create_chat(db, llm, retries=2)
    reply = await chat.ask("Hi")
    assert reply.usage.requests == (await chat.usage()).requests == 2


@pytest.mark.parametrize("provider", [OPENAI_CHAT], ids=lambda p: p.name)
async def test_the_wait_is_as_long_as_the_provider_asked(
    db: Database, llm: Model, server: ProviderServer
) -> None:
    server.script(rate_limited(0.25), says("Hello"))
    chat = await create_chat(db, llm, retries=1)
    await chat.ask("Hi")
    first, second = server.received
    assert 0.25 <= second.at - first.at < 1


async def test_the_same_request_is_sent_again(
    db: Database, llm: Model, server: ProviderServer
) -> None:
    server.script(rate_limited(0), says("Hello"))
    chat = await create_chat(db, llm, retries=1)
    await chat.ask("Hi")
    first, second = server.received
    assert first.said() == second.said()


async def test_retries_come_to_an_end(db: Database, llm: Model, server: ProviderServer) -> None:
    server.script(*[rate_limited(0)] * 3)
    chat = await create_chat(db, llm, retries=2)
    with pytest.raises(RateLimited):
        await chat.ask("Hi")
    assert [request.http_status for request in await chat.requests()] == [429, 429, 429]


async def test_no_retries_means_one_attempt(
    db: Database, llm: Model, server: ProviderServer
) -> None:
    server.script(rate_limited(0))
    chat = await create_chat(db, llm, retries=0)
    with pytest.raises(RateLimited):
        await chat.ask("Hi")
    assert len(await chat.requests()) == 1


@pytest.mark.parametrize("refusal", FOR_GOOD.values(), ids=FOR_GOOD)
async def test_a_refusal_for_good_is_not_asked_again(
    db: Database, llm: Model, server: ProviderServer, refusal: Refusal
) -> None:
    server.script(refusal)
    chat = await create_chat(db, llm, retries=2)
    with pytest.raises(ProviderError) as caught:
        await chat.ask("Hi")
    assert len(server.received) == len(await chat.requests()) == 1
    assert isinstance(caught.value, ContextTooLong) == (refusal.kind == "context")


@pytest.mark.parametrize("provider", [OPENAI_CHAT, OPENAI_RESPONSES, GEMINI], ids=lambda p: p.name)
async def test_an_empty_account_is_not_asked_again(
    db: Database, llm: Model, server: ProviderServer
) -> None:
    server.script(out_of_quota())
    chat = await create_chat(db, llm, retries=2)
    with pytest.raises(ProviderError):
        await chat.ask("Hi")
    assert len(server.received) == 1


@pytest.mark.parametrize("provider", [ANTHROPIC], ids=lambda p: p.name)
async def test_an_overloaded_provider_is_asked_again(
    db: Database, llm: Model, server: ProviderServer
) -> None:
    server.script(overloaded(), says("Hello"))
    chat = await create_chat(db, llm, retries=2)
    assert (await chat.ask("Hi")).text == "Hello"
    assert [request.http_status for request in await chat.requests()] == [529, 200]


async def test_a_stream_is_retried_without_its_consumer_noticing(
    db: Database, llm: Model, server: ProviderServer
) -> None:
    server.script(rate_limited(0), says("Hel", "lo"))
    chat = await create_chat(db, llm, retries=2)
    assert "".join([chunk.text async for chunk in chat.stream("Hi")]) == "Hello"


async def test_a_retry_after_a_tool_does_not_run_the_tool_again(
    db: Database, llm: Model, server: ProviderServer
) -> None:
    ran: list[str] = []

    def charge(amount: int) -> str:
        ran.append(f"{amount}")
        return "charged"

    server.script(
        Answer(calls=(Call("call_1", "charge", {"amount": 5}),)), rate_limited(0), says("Done")
    )
    chat = await create_chat(db, llm, tools=[charge], retries=2)
    assert (await chat.ask("Pay")).text == "Done"
    assert ran == ["5"]
    assert [request.status for request in await chat.requests()] == [
        "complete",
        "failed",
        "complete",
    ]


async def test_retries_hidden_in_the_providers_client_are_rows_too(
    db: Database, connect: ConnectModel, provider: Provider, server: ProviderServer
) -> None:
    """The providers' clients retry twice by themselves, unless they are told not to."""
    server.script(rate_limited(0), server_error(retry_after=0), says("Hello"))
    chat = await create_chat(db, connect(provider, max_retries=2), retries=2)
    await chat.ask("Hi")
    assert [request.http_status for request in await chat.requests()] == [429, 500, 200]


@pytest.mark.parametrize("provider", [OPENAI_CHAT, ANTHROPIC, GEMINI], ids=lambda p: p.name)
async def test_a_model_string_has_no_hidden_retries_either(
    db: Database, provider: Provider, server: ProviderServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", provider.key)
    monkeypatch.setenv("OPENAI_BASE_URL", f"{server.address}/v1")
    monkeypatch.setenv("ANTHROPIC_API_KEY", provider.key)
    monkeypatch.setenv("ANTHROPIC_BASE_URL", server.address)
    monkeypatch.setenv("GOOGLE_API_KEY", provider.key)
    monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", server.address)
    server.script(rate_limited(0), says("Hello"))
    seller = {"openai-chat": "openai-chat", "anthropic": "anthropic", "gemini": "google"}
    chat = await create_chat(db, f"{seller[provider.name]}:{provider.model_name}", retries=2)
    await chat.ask("Hi")
    assert [request.http_status for request in await chat.requests()] == [429, 200]


@pytest.mark.parametrize("provider", [GEMINI], ids=lambda p: p.name)
async def test_a_connection_that_the_users_own_google_client_lost_is_tried_again(
    db: Database, provider: Provider, server: ProviderServer
) -> None:
    """Its HTTP library is not the one whose errors pydantic-ai knows."""
    server.script(Answer(ends="hung_up"), says("Hello"))
    http = httpx.AsyncClient()
    options = HttpOptions(base_url=server.address, httpx_async_client=http)
    client = genai.Client(api_key=provider.key, http_options=options)
    model = GoogleModel(provider.model_name, provider=GoogleProvider(client=client))
    chat = await create_chat(db, model, retries=2)
    assert (await chat.ask("Hi")).text == "Hello"
    assert [request.status for request in await chat.requests()] == ["failed", "complete"]
    await http.aclose()


@pytest.mark.parametrize("name", ["MistralModel", "CohereModel"])
def test_mistral_and_cohere_are_told_not_to_retry(name: str) -> None:
    """By the name of the model alone, for their clients do not say that they retry."""
    model = type(name, (TestModel,), {})()
    assert without_hidden_retries({"temperature": 0}, model) == {"temperature": 0, "max_retries": 0}
    assert without_hidden_retries({"max_retries": 3}, model) == {"max_retries": 3}
    assert without_hidden_retries(None, TestModel()) is None


async def test_a_stop_does_not_wait_for_the_next_attempt(
    db: Database, llm: Model, server: ProviderServer
) -> None:
    server.script(rate_limited(30), says("Goodbye"))
    chat = await create_chat(db, llm, retries=2, on_disconnect="stop")
    asking = asyncio.create_task(chat.ask("Hi"))
    await until(lambda: server.received)
    await asyncio.sleep(0.1)
    asking.cancel()
    await asyncio.wait_for(settled(chat), 2)
    assert [request.status for request in await chat.requests()] == ["failed"]
    assert (await chat.ask("Go on")).text == "Goodbye"
