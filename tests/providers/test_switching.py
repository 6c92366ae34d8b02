"""A chat that goes on with another provider in the middle."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from itertools import permutations

import pytest
from pydantic_ai import Agent, WebSearchTool
from pydantic_ai.capabilities import NativeTool

from chatrecord.errors import AnswerRefused, ProviderError
from chatrecord.sqlalchemy import Database, create_chat, load_chat

from .answers import Answer, Call, says, sign
from .clients import model_clients
from .conftest import ANTHROPIC, OPENAI_CHAT, PROVIDERS, ConnectModel, Provider
from .rows import answers
from .server import ProviderServer
from .wire import Said

SWITCHES = pytest.mark.parametrize(
    ("first", "second"), list(permutations(PROVIDERS, 2)), ids=lambda provider: provider.name
)
OSLO = Call("call_1", "weather", {"city": "Oslo"})
ROME = Call("call_2", "weather", {"city": "Rome"})


def weather(city: str) -> str:
    return f"sunny in {city}"


@SWITCHES
async def test_rounds_and_reasoning_are_understood_by_the_next_provider(
    db: Database, connect: ConnectModel, server: ProviderServer, first: Provider, second: Provider
) -> None:
    server.script(
        Answer(reasoning=("Hmm.",), text=("Let me see.",), calls=(OSLO, ROME)),
        Answer(reasoning=("Aha.",), text=("Sunny.",)),
        says("You are welcome."),
    )
    chat = await create_chat(db, connect(first), tools=[weather], settings=first.thinks)
    await chat.ask("Weather?")
    other = await load_chat(db, connect(second), chat.id, tools=[weather], settings=second.thinks)
    await other.ask("Thanks")
    heard = "\n".join(said.text for said in server.received[2].said())
    told = ["Weather?", "Let me see.", "sunny in Oslo", "sunny in Rome", "Sunny."]
    assert [words for words in told if words not in heard] == []


AWKWARD_IDS = {
    "dots and colons": ("functions.weather:0", "functions.weather:1"),
    "numbered anew in each answer": ("call_0", "call_0"),
    "a bar and a space": ("call|1 a", "call|1 b"),
    "of 50 characters": ("call_" + "5" * 45, "call_" + "5" * 44 + "6"),
    "of 80 characters": ("call_" + "7" * 75, "call_" + "7" * 74 + "8"),
    "alike but for what is not allowed": ("a.b", "a:b"),
}


@SWITCHES
@pytest.mark.parametrize("ids", AWKWARD_IDS.values(), ids=AWKWARD_IDS)
async def test_the_next_provider_gets_ids_of_tool_calls_that_it_takes(
    *,
    db: Database,
    connect: ConnectModel,
    server: ProviderServer,
    first: Provider,
    second: Provider,
    ids: tuple[str, str],
) -> None:
    """Rows keep the provider's own, and each result stands behind its own call."""
    calls = [Call(ids[0], "weather", {"city": "Oslo"}), Call(ids[1], "weather", {"city": "Rome"})]
    server.script(*(Answer(calls=(call,)) for call in calls), says("Sunny."), says("Yes."))
    chat = await create_chat(db, connect(first), tools=[weather])
    await chat.ask("Weather?")
    other = await load_chat(db, connect(second), chat.id, tools=[weather])
    await other.ask("Sure?")

    assert [call.call_id for call in await chat.tool_calls()] == list(ids)
    said = server.received[3].said()
    asked = {words.id: words.text for words in said if words.who == "call"}
    results = {words.id: words.text for words in said if words.who == "result"}
    assert len(asked) == len(results) == 2
    for call_id, arguments in asked.items():
        assert json.loads(arguments)["city"] in results[call_id]


@SWITCHES
async def test_what_one_provider_leaves_in_the_rows_the_next_one_lets_stand(
    db: Database, connect: ConnectModel, server: ProviderServer, first: Provider, second: Provider
) -> None:
    """Even what it cannot read: the signatures are there when the chat comes back to the first."""
    server.script(Answer(reasoning=("Hmm.",), calls=(OSLO,)), says("Sunny."), says("Yes."))
    chat = await create_chat(db, connect(first), tools=[weather], settings=first.thinks)
    await chat.ask("Weather?")
    messages, calls = await chat.messages(), await chat.tool_calls()
    other = await load_chat(db, connect(second), chat.id, tools=[weather], settings=second.thinks)
    await other.ask("Sure?")
    assert (await chat.messages())[: len(messages)] == messages
    assert await chat.tool_calls() == calls
    server.script(says("Bye."))
    back = await load_chat(db, connect(first), chat.id, tools=[weather], settings=first.thinks)
    await back.ask("Thanks")
    signed = Said("thinking", "Hmm.", sign("Hmm."))
    assert (signed in server.received[3].said()) == first.repeats_reasoning


@SWITCHES
async def test_a_partial_answer_is_understood_by_the_next_provider(
    db: Database, connect: ConnectModel, server: ProviderServer, first: Provider, second: Provider
) -> None:
    server.script(
        Answer(reasoning=("Hmm.",), text=("Half an ",), ends="dropped"),
        says("answer."),
        says("Yes."),
    )
    chat = await create_chat(db, connect(first), settings=first.thinks, retries=0)
    with pytest.raises(ProviderError):
        await chat.ask("Hi")
    other = await load_chat(db, connect(second), chat.id, settings=second.thinks)
    await other.ask("Go on")
    back = await load_chat(db, connect(first), chat.id, settings=first.thinks)
    await back.ask("Sure?")
    assert [message.provider for message in await answers(chat)] == [
        first.system,
        second.system,
        first.system,
    ]
    assert [message.text for message in await answers(chat)] == ["Half an ", "answer.", "Yes."]


SEARCHED = Answer(text=("I look.",), searches=("srvtoolu_1",), paused=True)
FOUND = Answer(found=("srvtoolu_1",), text=("Sunny.",))
LEFT_BEHIND = {
    "a search": (SEARCHED, FOUND),
    "a refusal": (Answer(refusal=("I cannot help with that.",)),),
    "hidden reasoning": (Answer(reasoning=("",), text=("Sunny.",)),),
    "a finish reason of its own": (says("Sunny.", reason="eos_token"),),
}


@SWITCHES
@pytest.mark.parametrize("script", LEFT_BEHIND.values(), ids=LEFT_BEHIND)
@pytest.mark.filterwarnings("ignore:eos_token is not a valid FinishReason")  # Google's client
async def test_what_only_one_provider_knows_is_sent_to_no_other(
    *,
    db: Database,
    connect: ConnectModel,
    server: ProviderServer,
    first: Provider,
    second: Provider,
    script: tuple[Answer, ...],
) -> None:
    if script[0] is SEARCHED and first is not ANTHROPIC:
        pytest.skip("the server searches as Anthropic only")
    server.script(*script, says("Bye."), says("Ciao."))
    agent = Agent(connect(first), capabilities=[NativeTool(WebSearchTool())])
    asked = agent if script[0] is SEARCHED else connect(first)
    chat = await create_chat(db, asked, settings=first.thinks)
    with suppress(AnswerRefused):
        await chat.ask("Weather?")
    other = await load_chat(db, connect(second), chat.id, any_agent=True, settings=second.thinks)
    assert (await other.ask("Thanks")).text == "Bye."
    back = await load_chat(db, asked, chat.id, any_agent=True, settings=first.thinks)
    assert (await back.ask("Thanks")).text == "Ciao."


async def test_reasoning_of_a_compatible_server_is_no_field_of_openais(
    db: Database, connect: ConnectModel, server: ProviderServer
) -> None:
    """Both are asked with OpenAI's client, and only one knows the field."""
    async with ProviderServer() as compatible, model_clients(compatible.address) as connect_to:
        compatible.script(Answer(reasoning=("Hmm.",), text=("Sunny.",)), says("Ciao."))
        elsewhere = replace(OPENAI_CHAT, base_url="https://compatible.example/v1")
        chat = await create_chat(db, connect_to(elsewhere))
        await chat.ask("Weather?")
        server.script(says("Bye."))
        await (await load_chat(db, connect(OPENAI_CHAT), chat.id)).ask("Thanks")
        await (await load_chat(db, connect_to(elsewhere), chat.id)).ask("Thanks")
    sent = server.received[0].body["messages"]
    assert not any("reasoning_content" in message for message in sent)
    sent_back = compatible.received[1].body["messages"][1]
    assert sent_back["reasoning_content"] == "Hmm."
