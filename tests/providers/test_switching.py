"""A chat that goes on with another provider in the middle."""

from __future__ import annotations

import json
from itertools import permutations

import pytest

from chatrecord.errors import ProviderError
from chatrecord.sqlalchemy import Database, create_chat, load_chat

from .answers import Answer, Call, says, sign
from .conftest import PROVIDERS, ConnectModel, Provider
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
