"""A provider that says no, in the words of its own, or a model that does."""

from __future__ import annotations

from dataclasses import replace

import pytest
from openai import AsyncOpenAI
from pydantic_ai.models import Model
from pydantic_ai.models.openrouter import OpenRouterModel
from pydantic_ai.providers.openrouter import OpenRouterProvider

from chatrecord.errors import (
    AnswerRefused,
    ContextTooLong,
    ProviderError,
    RateLimited,
    StreamTruncated,
)
from chatrecord.sqlalchemy import Database, create_chat

from .answers import (
    Answer,
    Refusal,
    Spent,
    bad_gateway,
    context_too_long,
    overloaded,
    rate_limited,
    says,
    server_error,
    unauthorised,
)
from .clients import model_clients
from .conftest import ANTHROPIC, GEMINI, OPENAI_CHAT, OPENAI_RESPONSES, Provider
from .rows import last_answer, only_request
from .server import ProviderServer

REFUSALS = {
    "rate limit": (rate_limited(0.05), RateLimited),
    "server error": (server_error(), ProviderError),
    "gateway": (bad_gateway(), ProviderError),
    "unauthorised": (unauthorised("sk-wrong"), ProviderError),
    "context": (context_too_long(), ContextTooLong),
}
every_refusal = pytest.mark.parametrize(("refusal", "error"), REFUSALS.values(), ids=REFUSALS)


@every_refusal
async def test_a_refusal_is_an_error_of_its_own_kind_and_a_request_row(
    db: Database, llm: Model, server: ProviderServer, refusal: Refusal, error: type[ProviderError]
) -> None:
    server.script(refusal)
    chat = await create_chat(db, llm, retries=0)
    with pytest.raises(ProviderError) as caught:
        await chat.ask("Hi")
    assert type(caught.value) is error
    told = (caught.value.http_status, caught.value.retry_after, caught.value.text)
    assert told == (refusal.status, refusal.retry_after, "")
    assert caught.value.__cause__ is not None
    request = await only_request(chat)
    assert (request.status, request.http_status) == ("failed", refusal.status)
    assert request.provider_request_id == server.received[0].request_id
    assert request.error_type
    assert request.error
    assert (request.latency_ms or 0) > 0
    assert (request.first_token_ms, request.cost) == (None, None)
    assert (request.tokens.input, request.tokens.output) == (None, None)


@every_refusal
@pytest.mark.parametrize("provider", [OPENAI_CHAT], ids=lambda p: p.name)
async def test_a_chat_continues_after_a_refusal(
    db: Database, llm: Model, server: ProviderServer, refusal: Refusal, error: type[ProviderError]
) -> None:
    server.script(refusal, says("Goodbye"))
    chat = await create_chat(db, llm, retries=0)
    with pytest.raises(ProviderError):
        await chat.ask("Hi")
    assert (await chat.ask("Go on")).text == "Goodbye"
    assert [said.who for said in server.received[-1].said() if said.who == "assistant"] == []
    assert "Hi" in "".join(said.text for said in server.received[-1].said())


@pytest.mark.parametrize("provider", [ANTHROPIC], ids=lambda p: p.name)
async def test_an_overloaded_provider_is_an_error_with_its_status(
    db: Database, llm: Model, server: ProviderServer
) -> None:
    server.script(overloaded())
    chat = await create_chat(db, llm, retries=0)
    with pytest.raises(ProviderError) as caught:
        await chat.ask("Hi")
    assert caught.value.http_status == (await only_request(chat)).http_status == 529


@pytest.mark.parametrize("provider", [ANTHROPIC, GEMINI], ids=lambda p: p.name)
async def test_an_error_inside_a_stream_carries_its_http_status(
    db: Database, llm: Model, server: ProviderServer
) -> None:
    server.script(says("Hello", ends="overloaded"))
    chat = await create_chat(db, llm, retries=0)
    with pytest.raises(ProviderError) as caught:
        await chat.ask("Hi")
    assert caught.value.http_status == (await only_request(chat)).http_status


async def test_a_provider_that_cannot_be_reached_is_a_failed_request(
    db: Database, provider: Provider
) -> None:
    async with ProviderServer() as gone:
        pass
    async with model_clients(gone.address) as connect:
        chat = await create_chat(db, connect(provider), retries=0)
        with pytest.raises(ProviderError) as caught:
            await chat.ask("Hi")
    request = await only_request(chat)
    assert (request.status, request.http_status) == ("failed", None)
    assert (caught.value.http_status, request.first_token_ms) == (None, None)


REFUSED = Answer(refusal=("I cannot ", "help with that."), spent=Spent(1000, 9, 0, 0))
SAID = "I cannot help with that."


@pytest.mark.parametrize("streaming", [True, False], ids=["streamed", "whole"])
async def test_a_model_that_refuses_is_told_as_such_with_what_it_said_and_cost(
    db: Database, llm: Model, server: ProviderServer, provider: Provider, *, streaming: bool
) -> None:
    server.script(REFUSED, says("Of course."))
    chat = await create_chat(db, llm, streaming=streaming)
    with pytest.raises(AnswerRefused) as caught:
        await chat.ask("Hi")
    said = "" if provider is GEMINI else SAID  # there the question is blocked, and no model asked
    message, request = await last_answer(chat), await only_request(chat)
    assert (caught.value.text, message.text) == (said, said)
    assert (message.status, message.finish_reason) == ("complete", "content_filter")
    assert (request.status, request.tokens.input) == ("complete", 1000)
    assert request.cost
    assert len(str(caught.value)) < 200
    assert (await chat.ask("Something else")).text == "Of course."
    repeated = [said.text for said in server.received[-1].said() if said.who == "assistant"]
    assert repeated == [said] * bool(said)


async def test_what_a_model_says_as_it_refuses_is_streamed(
    db: Database, llm: Model, server: ProviderServer, provider: Provider
) -> None:
    server.script(REFUSED)
    chat = await create_chat(db, llm)
    read = ""
    with pytest.raises(AnswerRefused):
        async for chunk in chat.stream("Hi"):
            read += chunk.text
    assert read == ("" if provider is GEMINI else SAID)


async def test_a_refusal_through_openrouter_is_told_as_such(
    db: Database, server: ProviderServer
) -> None:
    server.script(REFUSED)
    async with AsyncOpenAI(api_key="none", base_url=f"{server.address}/v1") as client:
        llm = OpenRouterModel("openai/gpt-5", provider=OpenRouterProvider(openai_client=client))
        chat = await create_chat(db, llm)
        with pytest.raises(AnswerRefused):
            await chat.ask("Hi")
    assert (await last_answer(chat)).text == SAID
    assert (await only_request(chat)).tokens.input == 1000


@pytest.mark.parametrize("provider", [OPENAI_CHAT, OPENAI_RESPONSES], ids=lambda p: p.name)
async def test_a_refusal_after_some_text_is_told_as_such(
    db: Database, llm: Model, server: ProviderServer
) -> None:
    server.script(replace(REFUSED, text=("Let me ", "see.")), says("Of course."))
    chat = await create_chat(db, llm)
    read = ""
    with pytest.raises(AnswerRefused, match=SAID):
        async for chunk in chat.stream("Hi"):
            read += chunk.text
    message, request = await last_answer(chat), await only_request(chat)
    assert message.text == read == f"Let me see.\n\n{SAID}"
    assert (message.status, message.finish_reason) == ("complete", "content_filter")
    assert (request.status, request.tokens.input) == ("complete", 1000)
    assert (await chat.ask("Something else")).text == "Of course."


@pytest.mark.parametrize("provider", [OPENAI_CHAT], ids=lambda p: p.name)
async def test_a_refusal_that_is_cut_off_is_truncated(
    db: Database, llm: Model, server: ProviderServer
) -> None:
    server.script(replace(REFUSED, unexplained=True, marked=False), says("Of course."))
    chat = await create_chat(db, llm, retries=0)
    with pytest.raises(StreamTruncated):
        await chat.ask("Hi")
    assert (await chat.ask("Something else")).text == "Of course."
