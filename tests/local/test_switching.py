"""A chat that a real LLM goes on with, and that goes on with another after it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from chatrecord.local import LocalServer
from chatrecord.local.model import model_of
from chatrecord.sqlalchemy import Database, create_chat, load_chat
from providers.answers import Answer, Call, says
from providers.clients import Provider, model_clients
from providers.conftest import PROVIDERS
from providers.server import ProviderServer

pytestmark = pytest.mark.local

every_provider = pytest.mark.parametrize("provider", PROVIDERS, ids=lambda each: each.name)
OSLO = Call("call_1", "weather", {"city": "Oslo"})
ROME = Call("call_2", "weather", {"city": "Rome"})
SHORT = {"max_tokens": 8, "temperature": 0}


@pytest.fixture(scope="module")
def local_server() -> Iterator[LocalServer]:
    with LocalServer() as server:
        yield server


def weather(city: str) -> str:
    return f"sunny in {city}"


@every_provider
async def test_rounds_and_reasoning_of_a_provider_are_understood_by_a_real_llm(
    db: Database, local_server: LocalServer, provider: Provider
) -> None:
    async with (
        ProviderServer() as server,
        model_clients(server.address) as connect,
        model_of(local_server) as local,
    ):
        server.script(
            Answer(reasoning=("Hmm.",), text=("Let me see.",), calls=(OSLO, ROME)),
            Answer(reasoning=("Aha.",), text=("Sunny.",)),
            says("You are welcome."),
        )
        chat = await create_chat(db, connect(provider), tools=[weather], settings=provider.thinks)
        await chat.ask("Weather?")
        before = await chat.messages()
        other = await load_chat(db, local, chat.id, tools=[weather], settings=SHORT)
        reply = await other.ask("Thanks")
        back = await load_chat(
            db, connect(provider), chat.id, tools=[weather], settings=provider.thinks
        )
        await back.ask("Bye")
    assert server.faults == []
    assert reply.text
    assert reply.text in [said.text for said in server.received[-1].said()]
    after = await chat.messages(limit=100)
    assert after[: len(before)] == before
    assert [message.provider for message in after if message.role == "assistant"] == [
        provider.system, provider.system, "local", provider.system,
    ]  # fmt: skip
    assert [request.status for request in await chat.requests()] == ["complete"] * 4


@every_provider
async def test_a_chat_started_with_the_local_llm_continues_with_a_provider(
    db: Database, local_server: LocalServer, provider: Provider
) -> None:
    async with (
        ProviderServer() as server,
        model_clients(server.address) as connect,
        model_of(local_server) as local,
    ):
        server.script(Answer(reasoning=("Hmm.",), calls=(OSLO,)), says("Sunny."))
        chat = await create_chat(db, local, settings=SHORT)
        reply = await chat.ask("Hello!")
        other = await load_chat(
            db, connect(provider), chat.id, tools=[weather], settings=provider.thinks
        )
        await other.ask("Weather?")
    assert server.faults == []
    said = [words.text for words in server.received[-1].said()]
    assert said[:3] == ["Hello!", reply.text, "Weather?"]
    stored = await chat.messages(limit=100)
    assert [message.text for message in stored if message.role == "assistant"] == [
        reply.text, "", "Sunny.",
    ]  # fmt: skip
    first, *rest = await chat.requests()
    assert (first.provider, first.cost) == ("local", None)
    assert {request.provider for request in rest} == {provider.system}
