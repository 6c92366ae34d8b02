"""How an answer says that it is whole: by a reason, or by its protocol's end marker."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pydantic_ai.models import Model
from pydantic_ai.models.test import TestModel

from chatrecord.errors import StreamTruncated
from chatrecord.pydantic_ai.end_markers import marker_of
from chatrecord.sqlalchemy import Database, create_chat

from .answers import Answer, Call, Spent, says
from .conftest import ANTHROPIC, GEMINI, OPENAI_CHAT, OPENAI_RESPONSES, ConnectModel, Provider
from .rows import last_answer, only_request
from .server import ProviderServer

MARKERS = {
    "openai-chat": "[DONE]",
    "openai-responses": "response.completed",
    "anthropic": "message_stop",
    "gemini": "a finish reason",
}
with_a_marker = pytest.mark.parametrize(
    "provider", [OPENAI_CHAT, OPENAI_RESPONSES, ANTHROPIC], ids=lambda provider: provider.name
)


@with_a_marker
@pytest.mark.parametrize("reason", [None, ""], ids=["null", "empty"])
async def test_an_answer_without_a_reason_is_whole_with_its_end_marker(
    db: Database, llm: Model, server: ProviderServer, reason: str | None
) -> None:
    server.script(says("Hel", "lo", reason=reason, unexplained=True, spent=Spent(1000, 200)))
    chat = await create_chat(db, llm)
    reply = await chat.ask("Hi")
    message = await last_answer(chat)
    assert (reply.text, reply.finish_reason) == ("Hello", None)
    assert (message.status, message.finish_reason) == ("complete", None)
    assert (await only_request(chat)).tokens.input == 1000


async def test_an_answer_without_a_place_for_a_reason_is_whole_with_its_end_marker(
    db: Database, connect: ConnectModel, server: ProviderServer
) -> None:
    server.script(says("Hello", unexplained=True, unnamed=True))
    chat = await create_chat(db, connect(OPENAI_CHAT))
    reply = await chat.ask("Hi")
    assert (reply.text, reply.finish_reason) == ("Hello", None)


async def test_the_end_marker_needs_no_blank_line(
    db: Database, connect: ConnectModel, server: ProviderServer
) -> None:
    server.script(says("Hello", unexplained=True, unended=True))
    chat = await create_chat(db, connect(OPENAI_CHAT))
    reply = await chat.ask("Hi")
    assert (reply.text, reply.finish_reason) == ("Hello", None)


@with_a_marker
async def test_the_tools_of_an_answer_without_a_reason_run(
    db: Database, llm: Model, server: ProviderServer
) -> None:
    call = Call("call_1", "weather", {"city": "Oslo"})
    server.script(Answer(calls=(call,), unexplained=True), says("Sunny.", unexplained=True))
    chat = await create_chat(db, llm, tools=[weather])
    assert (await chat.ask("Weather?")).text == "Sunny."
    assert [call.status for call in await chat.tool_calls()] == ["complete"]


def weather(city: str) -> str:
    return f"sunny in {city}"


async def test_an_answer_with_neither_is_truncated_and_the_error_names_both(
    db: Database, llm: Model, server: ProviderServer, provider: Provider
) -> None:
    server.script(says("Hello", unexplained=True, marked=False, ends=cut_without_marker(provider)))
    chat = await create_chat(db, llm)
    with pytest.raises(StreamTruncated, match="finish reason") as caught:
        await chat.ask("Hi")
    assert MARKERS[provider.name] in str(caught.value)
    assert (await last_answer(chat)).status == "interrupted"


def cut_without_marker(provider: Provider) -> str:
    """Gemini's reason is its marker."""
    return "truncated" if provider is GEMINI else "whole"


@pytest.mark.parametrize("provider", [OPENAI_CHAT, ANTHROPIC], ids=lambda p: p.name)
async def test_an_answer_with_a_reason_needs_no_marker(
    db: Database, llm: Model, server: ProviderServer
) -> None:
    server.script(says("Hello", marked=False))
    chat = await create_chat(db, llm)
    assert (await chat.ask("Hi")).finish_reason == "stop"


@with_a_marker
@pytest.mark.parametrize("plain", [False, True], ids=["as asked for", "as JSON"])
async def test_a_whole_answer_without_a_reason_is_complete(
    db: Database, llm: Model, server: ProviderServer, plain: bool
) -> None:
    """Whole answers of Anthropic are streamed by pydantic-ai, out of sight."""
    server.script(says("Hello", unexplained=True, plain=plain, spent=Spent(1000, 200)))
    chat = await create_chat(db, llm, streaming=False)
    reply = await chat.ask("Hi")
    assert (reply.text, reply.finish_reason) == ("Hello", None)
    assert reply.usage.input_tokens == 1000


@pytest.mark.parametrize("provider", [ANTHROPIC], ids=lambda p: p.name)
async def test_a_whole_answer_that_is_streamed_out_of_sight_may_be_truncated(
    db: Database, llm: Model, server: ProviderServer
) -> None:
    server.script(says("Hello", unexplained=True, marked=False))
    chat = await create_chat(db, llm, streaming=False)
    with pytest.raises(StreamTruncated):
        await chat.ask("Hi")


@pytest.mark.parametrize("streaming", [True, False], ids=["streamed", "whole"])
async def test_usage_that_stands_in_a_choice_counts(
    db: Database, connect: ConnectModel, server: ProviderServer, *, streaming: bool
) -> None:
    """As of Moonshot; a server that does not stream has it in its place."""
    server.script(replace(says("Hello", spent=Spent(1000, 200)), counts_in_choice=True))
    chat = await create_chat(db, connect(OPENAI_CHAT), streaming=streaming)
    reply = await chat.ask("Hi")
    assert (reply.usage.input_tokens, reply.usage.output_tokens) == (1000, 200)
    assert reply.cost


HALVES = ("It is \ud83d", "\ude00", " \ud83d", "\ude01!")


@pytest.mark.parametrize("kind", ["text", "reasoning"])
async def test_a_character_that_is_cut_in_two_is_one_character(
    db: Database, llm: Model, server: ProviderServer, provider: Provider, kind: str
) -> None:
    said = HALVES if kind == "text" else ("Fine.",)
    thought = HALVES if kind == "reasoning" else ("Hm.",)
    server.script(Answer(text=said, reasoning=thought))
    chat = await create_chat(db, llm, settings=provider.thinks)
    chunks = [chunk async for chunk in chat.stream("Hi")]
    message = await last_answer(chat)
    whole = message.text if kind == "text" else message.reasoning
    assert whole == "It is \U0001f600 \U0001f601!"
    assert whole == "".join(getattr(chunk, kind) for chunk in chunks)


@pytest.mark.parametrize("provider", [ANTHROPIC], ids=lambda p: p.name)
async def test_a_character_that_is_cut_in_two_is_one_character_in_a_whole_answer(
    db: Database, llm: Model, server: ProviderServer
) -> None:
    """Whole answers of Anthropic are streamed by pydantic-ai, out of sight."""
    server.script(Answer(text=HALVES, reasoning=HALVES))
    chat = await create_chat(db, llm, streaming=False)
    reply = await chat.ask("Hi")
    message = await last_answer(chat)
    assert reply.text == message.text == message.reasoning == "It is \U0001f600 \U0001f601!"


async def test_half_a_character_at_the_end_is_kept(
    db: Database, llm: Model, server: ProviderServer
) -> None:
    server.script(says("It is \ud83d"))
    chat = await create_chat(db, llm)
    assert (await chat.ask("Hi")).text == "It is \ud83d"


@pytest.mark.parametrize("provider", [OPENAI_CHAT, ANTHROPIC], ids=lambda p: p.name)
async def test_a_character_that_is_cut_in_two_in_arguments_is_one_character(
    db: Database, llm: Model, server: ProviderServer
) -> None:
    given: list[str] = []

    def note(text: str) -> str:
        given.append(text)
        return "noted"

    # The two halves of the arguments are cut within the character.
    call = Call("call_1", "note", raw='{"text": "\ud83d\ude00......."}')
    server.script(Answer(calls=(call,)), says("Noted."))
    chat = await create_chat(db, llm, tools=[note])
    await chat.ask("Note it")
    (row,) = await chat.tool_calls()
    assert row.arguments == {"text": "\U0001f600......."}
    assert given == ["\U0001f600......."]


@pytest.mark.parametrize(
    ("name", "marker"),
    [("BedrockConverseModel", "`messageStop`"), ("CohereModel", "`message-end`")],
)
def test_bedrock_and_cohere_have_end_markers_of_their_own(name: str, marker: str) -> None:
    """By the name of the model: their packages are not needed."""
    assert marker_of(type(name, (TestModel,), {})()) == marker
