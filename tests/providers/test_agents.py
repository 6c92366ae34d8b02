"""Agents that bring more than a model: instructions, event handlers, a fallback."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, Callable
from dataclasses import dataclass

import pytest
from pydantic_ai import Agent
from pydantic_ai.capabilities import ProcessEventStream
from pydantic_ai.models import Model
from pydantic_ai.models.fallback import FallbackModel
from pydantic_ai.models.wrapper import WrapperModel

from chatrecord.errors import StreamTruncated
from chatrecord.sqlalchemy import Database, create_chat, load_chat

from .answers import Answer, Call, Ending, rate_limited, says, server_error
from .conftest import ANTHROPIC, OPENAI_CHAT, ConnectModel
from .endings import MISBEHAVIOURS, limits
from .rows import answers, last_answer, only_request
from .server import ProviderServer
from .wire import Said


@pytest.mark.parametrize("kind", ["instructions", "system_prompt"])
async def test_an_agents_own_instructions_are_sent_once_on_every_request(
    db: Database, llm: Model, server: ProviderServer, kind: str
) -> None:
    agent = Agent(llm, name="pirate", tools=[clock], **{kind: "Answer like a pirate."})
    server.script(Answer(calls=(Call("call_1", "clock"),)), says("Noon."), says("Still noon."))
    chat = await create_chat(db, agent)
    await chat.ask("What time is it?")
    again = await load_chat(db, agent, chat.id)
    await again.ask("And now?")
    assert [instructions(request.said()) for request in server.received] == [
        ["Answer like a pirate."]
    ] * 3


def instructions(said: list[Said]) -> list[str]:
    return [words.text for words in said if words.who == "system"]


def clock() -> str:
    """The time."""
    return "noon"


@pytest.mark.parametrize("ends", ["stalled", "truncated", "dropped"])
@pytest.mark.parametrize("provider", [OPENAI_CHAT], ids=lambda p: p.name)
async def test_an_agent_that_handles_its_own_events_is_guarded_too(
    db: Database, llm: Model, server: ProviderServer, ends: Ending
) -> None:
    server.script(says("Hello", ends=ends), says("Goodbye"))
    agent = Agent(llm, capabilities=[ProcessEventStream(read_events)])
    chat = await create_chat(db, agent, limits=limits(ends), retries=0)
    with pytest.raises(MISBEHAVIOURS[ends][0]):
        await asyncio.wait_for(chat.ask("Hi"), 3)
    message = await last_answer(chat)
    assert (message.text, message.status) == ("Hello", MISBEHAVIOURS[ends][1])
    assert (await chat.ask("Go on")).text == "Goodbye"


@pytest.mark.parametrize("provider", [OPENAI_CHAT], ids=lambda p: p.name)
async def test_an_agent_that_handles_its_own_events_is_timed_too(
    db: Database, llm: Model, server: ProviderServer
) -> None:
    server.script(says("slow", "er", pause=0.1))
    agent = Agent(llm, capabilities=[ProcessEventStream(read_events)])
    chat = await create_chat(db, agent, retries=0)
    await chat.ask("Hi")
    request = await only_request(chat)
    assert 100 <= (request.first_token_ms or 0) <= (request.latency_ms or 0) - 95


@pytest.mark.parametrize("provider", [OPENAI_CHAT], ids=lambda p: p.name)
async def test_an_agent_that_handles_its_own_events_is_tried_again_too(
    db: Database, llm: Model, server: ProviderServer
) -> None:
    server.script(rate_limited(0), says("Hello"))
    agent = Agent(llm, capabilities=[ProcessEventStream(read_events)])
    chat = await create_chat(db, agent, retries=2)
    assert (await chat.ask("Hi")).text == "Hello"
    assert [request.http_status for request in await chat.requests()] == [429, 200]


async def read_events(_context: object, events: AsyncIterable[object]) -> None:
    async for _ in events:
        pass


async def test_every_provider_a_fallback_tries_is_a_request(
    db: Database, connect: ConnectModel, server: ProviderServer
) -> None:
    server.script(server_error(), says("Hello"))
    chat = await create_chat(db, FallbackModel(connect(OPENAI_CHAT), connect(ANTHROPIC)), retries=0)
    assert (await chat.ask("Hi")).text == "Hello"
    told = [(each.provider, each.status, each.http_status) for each in await chat.requests()]
    assert told == [("openai", "failed", 500), ("anthropic", "complete", 200)]


async def test_a_fallbacks_answer_without_an_end_is_seen(
    db: Database, connect: ConnectModel, server: ProviderServer
) -> None:
    server.script(server_error(), says("Hello", ends="truncated"))
    chat = await create_chat(db, FallbackModel(connect(ANTHROPIC), connect(OPENAI_CHAT)), retries=0)
    with pytest.raises(StreamTruncated):
        await chat.ask("Hi")
    assert (await answers(chat))[-1].status == "interrupted"


NESTED = pytest.mark.parametrize(
    "nested",
    [
        FallbackModel,
        lambda first, second: WrapperModel(FallbackModel(first, second)),
        lambda first, second: WrapperModel(WrapperModel(FallbackModel(first, second))),
        lambda first, second: FallbackModel(FallbackModel(first, second)),
        lambda first, second: FallbackModel(first, WrapperModel(FallbackModel(second))),
    ],
    ids=["plain", "wrapped", "wrapped twice", "in another", "wrapped in another"],
)
"""A fallback somewhere inside, such as behind a limit of concurrency."""

Nest = Callable[[Model, Model], Model]


@NESTED
async def test_every_provider_that_a_nested_fallback_tries_is_a_request(
    db: Database, connect: ConnectModel, server: ProviderServer, nested: Nest
) -> None:
    server.script(server_error(), says("Hello"))
    llm = nested(connect(OPENAI_CHAT), connect(ANTHROPIC))
    chat = await create_chat(db, llm, retries=0)
    assert (await chat.ask("Hi")).text == "Hello"
    told = [(each.provider, each.status, each.http_status) for each in await chat.requests()]
    assert told == [("openai", "failed", 500), ("anthropic", "complete", 200)]


@NESTED
async def test_a_nested_fallbacks_answer_without_an_end_is_seen(
    db: Database, connect: ConnectModel, server: ProviderServer, nested: Nest
) -> None:
    server.script(server_error(), says("Hello", ends="truncated"))
    llm = nested(connect(ANTHROPIC), connect(OPENAI_CHAT))
    chat = await create_chat(db, llm, retries=0)
    with pytest.raises(StreamTruncated):
        await chat.ask("Hi")
    assert (await answers(chat))[-1].status == "interrupted"


@dataclass
class City:
    name: str


@NESTED
async def test_a_fallback_gives_typed_output(
    db: Database, connect: ConnectModel, server: ProviderServer, nested: Nest
) -> None:
    """It has no profile of its own that says how an output is asked for."""
    called = Call("call_1", "final_result", {"name": "Oslo"})
    server.script(server_error(), Answer(calls=(called,)))
    llm = nested(connect(OPENAI_CHAT), connect(ANTHROPIC))
    chat = await create_chat(db, llm, retries=0)
    chunks = [chunk async for chunk in chat.stream("Which city?", output_type=City)]
    assert [chunk.output for chunk in chunks if chunk.kind == "output"][-1] == {"name": "Oslo"}


@NESTED
async def test_a_fallback_writes_titles(
    db: Database, connect: ConnectModel, server: ProviderServer, nested: Nest
) -> None:
    """It has no profile of its own that says what is put around reasoning."""
    server.script(says("Sunny."), says("<think>Hm.</think>", "Weather in Oslo"))
    chat = await create_chat(db, nested(connect(OPENAI_CHAT), connect(ANTHROPIC)), retries=0)
    await chat.ask("Weather?")
    assert await chat.generate_title() == "Weather in Oslo"
