"""What a good answer leaves behind, whichever provider gave it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterable
from typing import Any

import pytest
from pydantic_ai import Agent, RunContext
from pydantic_ai.capabilities import AbstractCapability, ProcessEventStream
from pydantic_ai.models import Model

from chatrecord.sqlalchemy import Database, create_chat

from .answers import Answer, Call, Spent, says
from .conftest import (
    ANTHROPIC,
    GEMINI,
    OPENAI_CHAT,
    OPENAI_RESPONSES,
    PROVIDERS,
    ConnectModel,
    Provider,
)
from .rows import last_answer, only_request
from .server import ProviderServer


def add(a: int, b: int) -> int:
    return a + b


class Listening(AbstractCapability[object]):
    """Has pydantic-ai stream, rather than ask for a whole response."""

    async def on_event(self, ctx: RunContext[object], *, event: object) -> None:
        """Only listen."""


THOUGHTFUL = Answer(reasoning=("Hm", "m."), text=("It is ", "noon."))


async def test_an_answer_is_one_message_and_one_request(
    db: Database, llm: Model, server: ProviderServer
) -> None:
    server.script(says("Hel", "lo"))
    chat = await create_chat(db, llm)
    reply = await chat.ask("Hi")
    message, request = await last_answer(chat), await only_request(chat)
    assert (reply.text, message.text, message.status) == ("Hello", "Hello", "complete")
    assert (request.status, request.http_status, request.error) == ("complete", 200, None)


async def test_the_request_names_the_providers_own_id(
    db: Database, llm: Model, server: ProviderServer
) -> None:
    server.script(says("Hello"))
    chat = await create_chat(db, llm)
    await chat.ask("Hi")
    stored = (await only_request(chat)).provider_request_id
    received = server.received[0]
    assert stored
    assert stored == received.request_id or stored.endswith(received.response_id)


async def test_the_first_token_is_timed_within_the_whole(
    db: Database, llm: Model, server: ProviderServer
) -> None:
    """The stream opens at once; its first token takes a tenth of a second, and so does the next."""
    server.script(says("slow", "er", pause=0.1))
    chat = await create_chat(db, llm)
    await chat.ask("Hi")
    request = await only_request(chat)
    assert request.first_token_ms is not None
    assert request.latency_ms is not None
    assert 100 <= request.first_token_ms <= request.latency_ms - 95


async def test_reasoning_is_stored_apart_from_the_text(
    db: Database, llm: Model, server: ProviderServer, provider: Provider
) -> None:
    server.script(THOUGHTFUL)
    chat = await create_chat(db, llm, settings=provider.thinks)
    reply = await chat.ask("What time is it?")
    message = await last_answer(chat)
    assert (reply.text, reply.reasoning) == ("It is noon.", "Hmm.")
    assert (message.text, message.reasoning) == ("It is noon.", "Hmm.")


async def test_what_was_yielded_is_what_was_stored(
    db: Database, llm: Model, server: ProviderServer, provider: Provider
) -> None:
    server.script(Answer(reasoning=("Hm", "m 🤔."), text=("It is ", "noon", " ☀️.")))
    chat = await create_chat(db, llm, settings=provider.thinks)
    chunks = [chunk async for chunk in chat.stream("What time is it?")]
    message = await last_answer(chat)
    assert "".join(chunk.text for chunk in chunks) == message.text == "It is noon ☀️."
    assert "".join(chunk.reasoning for chunk in chunks) == message.reasoning == "Hmm 🤔."
    kinds = [chunk.kind for chunk in chunks]
    assert set(kinds) == {"reasoning", "text"}
    assert kinds == sorted(kinds)


@pytest.mark.parametrize("provider", [OPENAI_CHAT], ids=lambda p: p.name)
@pytest.mark.parametrize("reads_events", [False, True])
@pytest.mark.parametrize(
    "pieces",
    [
        ["<think>\nHm", "m.</think>It is noon<"],
        ["<thi", "nk>\nHmm.</th", "ink>It is noon", "<"],
        ["<think>", "\nHmm.", "</think>", "It is noon<"],
        list("<think>\nHmm.</think>It is noon<"),
        ["<think>\nHmm.</think>It is noon<"],
    ],
    ids=len,
)
async def test_reasoning_in_tags_is_reasoning_however_the_stream_is_cut(
    db: Database, llm: Model, server: ProviderServer, pieces: list[str], reads_events: bool
) -> None:
    """Servers without a parser of their own send `<think>` within the text, cut anywhere."""
    server.script(says(*pieces))
    agent = Agent(llm, capabilities=[Listening()] if reads_events else [])
    chat = await create_chat(db, agent)
    stream = chat.stream("What time is it?")
    chunks = [chunk async for chunk in stream]
    message = await last_answer(chat)
    assert "".join(chunk.text for chunk in chunks) == message.text == "It is noon<"
    assert "".join(chunk.reasoning for chunk in chunks) == message.reasoning == "\nHmm."
    assert stream.reply.output == "It is noon<"


async def test_a_stream_is_not_held_back_until_its_end(
    db: Database, llm: Model, server: ProviderServer
) -> None:
    server.script(says(*"abcdefghij", pause=0.03))
    chat = await create_chat(db, llm)
    async with chat.stream("Hi") as stream:
        async for _ in stream:
            sent_by_then = server.received[0].pieces_sent
            break
        rest = [chunk.text async for chunk in stream]
    assert sent_by_then < 10
    assert rest
    assert stream.reply.text == "abcdefghij"


async def test_model_settings_reach_the_provider(
    db: Database, llm: Model, server: ProviderServer
) -> None:
    server.script(says("Hello"))
    chat = await create_chat(db, llm, settings={"max_tokens": 321})
    await chat.ask("Hi")
    assert ": 321" in json.dumps(server.received[0].body)


async def test_an_answer_that_reached_its_length_is_complete_and_says_so(
    db: Database, llm: Model, server: ProviderServer
) -> None:
    server.script(says("And then", full=True), says("Goodbye"))
    chat = await create_chat(db, llm)
    reply = await chat.ask("Tell me a story")
    message = await last_answer(chat)
    assert (reply.text, message.text, message.status) == ("And then", "And then", "complete")
    assert reply.finish_reason == message.finish_reason == "length"
    assert (await chat.ask("Go on")).text == "Goodbye"


@pytest.mark.parametrize("provider", [OPENAI_CHAT, ANTHROPIC, GEMINI], ids=lambda p: p.name)
@pytest.mark.filterwarnings("ignore:eos_token is not a valid FinishReason")  # Google's client
async def test_an_end_in_words_of_the_providers_own_is_an_end(
    db: Database, llm: Model, server: ProviderServer
) -> None:
    """Servers that copy a protocol have reasons of their own, and providers add new ones."""
    server.script(says("Hello", reason="eos_token"))
    chat = await create_chat(db, llm)
    reply = await chat.ask("Hi")
    message = await last_answer(chat)
    assert (reply.text, message.status) == ("Hello", "complete")
    assert reply.finish_reason == message.finish_reason == "eos_token"


@pytest.mark.parametrize("provider", [OPENAI_CHAT], ids=lambda p: p.name)
async def test_many_chats_at_once_keep_their_answers_apart(
    db: Database, llm: Model, server: ProviderServer
) -> None:
    words = [f"answer {number}" for number in range(12)]
    server.script(*(says(*word, pause=0.005) for word in words))
    chats = [await create_chat(db, llm) for _ in words]
    replies = await asyncio.gather(*(chat.ask("Hi") for chat in chats))
    stored = [(await last_answer(chat)).text for chat in chats]
    assert [reply.text for reply in replies] == stored
    assert sorted(stored) == sorted(words)


async def test_a_provider_that_cannot_stream_is_asked_for_whole_answers(
    db: Database, llm: Model, server: ProviderServer, provider: Provider
) -> None:
    call = Call("call_1", "add", {"a": 1, "b": 2})
    server.script(Answer(text=("I add.",), calls=(call,)), says("It is 3."), says("Sums"))
    chat = await create_chat(db, llm, tools=[add], streaming=False)

    chunks = [chunk async for chunk in chat.stream("1 and 2?") if chunk.text]
    title = await chat.generate_title()

    assert [chunk.text for chunk in chunks] == ["I add.", "It is 3."]
    assert title == "Sums"
    assert [request.streamed for request in await chat.requests()] == [False] * 3
    if provider is not ANTHROPIC:  # pydantic-ai streams its whole answers, too
        assert not any(received.body.get("stream") for received in server.received)


@pytest.mark.parametrize("handling", [(), (ProcessEventStream,)], ids=["ask", "own events"])
@pytest.mark.parametrize(
    "provider", [OPENAI_CHAT, OPENAI_RESPONSES, ANTHROPIC], ids=lambda p: p.name
)
async def test_a_server_that_does_not_stream_when_asked_to_is_understood(
    db: Database, llm: Model, server: ProviderServer, handling: tuple[type, ...]
) -> None:
    async def read(_context: object, events: AsyncIterable[object]) -> None:
        async for _ in events:
            pass

    call = Call("call_1", "add", {"a": 1, "b": 2})
    first = Answer(text=("I add.",), calls=(call,), plain=True, spent=Spent(1000, 200))
    server.script(first, says("It is 3.", plain=True), says("Bye."))
    agent = Agent(llm, tools=[add], capabilities=[each(read) for each in handling])
    chat = await create_chat(db, agent)

    chunks = [chunk async for chunk in chat.stream("1 and 2?") if chunk.text]
    again = await chat.ask("Thanks")

    assert [received.body["stream"] for received in server.received] == [True] * 3
    assert [chunk.text for chunk in chunks] == ["I add.", "It is 3."]
    assert again.text == "Bye."
    first_request = (await chat.requests())[0]
    assert (first_request.status, first_request.tokens.input) == ("complete", 1000)
    assert first_request.provider_request_id
    assert [call.result for call in await chat.tool_calls()] == [3]


@pytest.mark.parametrize("streaming", [True, False])
@pytest.mark.parametrize("provider", PROVIDERS)
async def test_what_a_model_of_ones_own_keeps_is_kept(
    provider: Provider, streaming: bool, db: Database, connect: ConnectModel, server: ProviderServer
) -> None:
    """Such as a count, a cache, or the next key: it was lost with a copy after each request."""
    model: Any = connect(provider)

    class Counting(type(model)):  # type: ignore[misc]
        asked = 0

        def prepare_request(self, *given: Any) -> Any:
            self.asked += 1
            return super().prepare_request(*given)

    model.__class__ = Counting
    server.script(says("one"), says("two"))
    chat = await create_chat(db, model, streaming=streaming)
    await chat.ask("Hi!")
    once = model.asked
    await chat.ask("And?")

    assert once > 0
    assert model.asked == 2 * once
