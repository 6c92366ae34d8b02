"""Tool rounds, as each provider insists on them."""

from __future__ import annotations

import json

import pytest
from pydantic_ai.models import Model

from chatrecord.errors import RunError
from chatrecord.sqlalchemy import Database, create_chat, load_chat

from .answers import Answer, Call, says, sign
from .conftest import ANTHROPIC, GEMINI, OPENAI_CHAT, OPENAI_RESPONSES, ConnectModel, Provider
from .server import ProviderServer
from .wire import Said

every_signer = pytest.mark.parametrize(
    "provider", [OPENAI_RESPONSES, ANTHROPIC, GEMINI], ids=lambda provider: provider.name
)
OSLO = Call("call_1", "weather", {"city": "Oslo"})
NOON = Call("call_2", "clock", {"city": "Oslo"})


def weather(city: str) -> str:
    return f"sunny in {city}"


async def clock(city: str) -> dict[str, str]:
    return {"city": city, "time": "noon"}


def explode(city: str) -> str:
    raise RuntimeError(f"no weather for {city}")


def results(said: list[Said]) -> dict[str, str]:
    return {words.id: words.text for words in said if words.who == "result"}


def calls(said: list[Said]) -> dict[str, object]:
    return {words.id: json.loads(words.text) for words in said if words.who == "call"}


async def test_a_round_is_sent_back_and_stored(
    db: Database, llm: Model, server: ProviderServer
) -> None:
    server.script(Answer(text=("Let me see.",), calls=(OSLO,)), says("Sunny."))
    chat = await create_chat(db, llm, tools=[weather])
    reply = await chat.ask("Weather?")
    (call,) = await chat.tool_calls()
    assert reply.text == "Sunny."
    assert results(server.received[1].said()) == {"call_1": "sunny in Oslo"}
    assert (call.call_id, call.arguments, call.result) == (
        "call_1",
        {"city": "Oslo"},
        "sunny in Oslo",
    )
    assert call.status == "complete"


async def test_two_calls_at_once_are_both_answered(
    db: Database, llm: Model, server: ProviderServer
) -> None:
    server.script(Answer(calls=(OSLO, NOON)), says("Sunny, noon."))
    chat = await create_chat(db, llm, tools=[weather, clock])
    reply = await chat.ask("Weather and time?")
    sent = results(server.received[1].said())
    assert sent["call_1"] == "sunny in Oslo"
    assert json.loads(sent["call_2"]) == {"city": "Oslo", "time": "noon"}
    assert {call.call_id: call.result for call in reply.tool_calls} == {
        "call_1": "sunny in Oslo",
        "call_2": {"city": "Oslo", "time": "noon"},
    }


async def test_a_round_is_replayed_by_a_chat_loaded_later(
    db: Database, llm: Model, server: ProviderServer
) -> None:
    server.script(Answer(calls=(OSLO, NOON)), says("Sunny, noon."), says("Welcome."))
    chat = await create_chat(db, llm, tools=[weather, clock])
    await chat.ask("Weather and time?")
    again = await load_chat(db, llm, chat.id, tools=[weather, clock])
    await again.ask("Thanks")
    earlier, later = server.received[1].said(), server.received[2].said()
    assert calls(later) == calls(earlier) == {"call_1": OSLO.arguments, "call_2": NOON.arguments}
    assert later[: len(earlier)] == earlier


@every_signer
async def test_reasoning_before_a_call_keeps_its_place(
    db: Database, llm: Model, server: ProviderServer, provider: Provider
) -> None:
    answer = Answer(reasoning=("I need", " a clock."), calls=(NOON,))
    server.script(answer, says("Noon."), says("Welcome."))
    chat = await create_chat(db, llm, tools=[clock], settings=provider.thinks)
    await chat.ask("Time?")
    await chat.ask("Thanks")
    for request in server.received[1:]:
        order = [said.who for said in request.said() if said.who in ("thinking", "call")]
        assert order == ["thinking", "call"]


@every_signer
async def test_reasoning_the_provider_keeps_to_itself_is_sent_back(
    db: Database, llm: Model, server: ProviderServer, provider: Provider
) -> None:
    server.script(Answer(reasoning=("",), calls=(NOON,)), says("Noon."), says("Welcome."))
    chat = await create_chat(db, llm, tools=[clock], settings=provider.thinks)
    await chat.ask("Time?")
    again = await load_chat(db, llm, chat.id, tools=[clock], settings=provider.thinks)
    await again.ask("Thanks")
    for request in server.received[1:]:
        assert Said("thinking", "", sign("")) in request.said()
    assert not any(message.reasoning for message in await chat.messages())


@pytest.mark.parametrize("raw", ['{"city": "Os', "[]", "", "Oslo"])
async def test_arguments_that_are_no_object_do_not_end_the_chat(
    db: Database, llm: Model, server: ProviderServer, provider: Provider, raw: str
) -> None:
    server.script(Answer(calls=(Call("call_1", "weather", raw=raw),)), says("Sorry."), says("Bye."))
    chat = await create_chat(db, llm, tools=[weather])
    assert (await chat.ask("Weather?")).text == "Sorry."
    again = await load_chat(db, llm, chat.id, tools=[weather])
    assert (await again.ask("Never mind")).text == "Bye."
    stored = [(call.status, call.result) for call in await chat.tool_calls()]
    sends_none = provider.name == "gemini"  # it says that it has failed to write a call instead
    assert stored == ([] if sends_none else [("failed", None)])


async def test_a_tool_that_raises_is_answered_in_the_next_request(
    db: Database, llm: Model, server: ProviderServer
) -> None:
    server.script(Answer(calls=(Call("call_1", "explode", {"city": "Oslo"}), NOON)), says("Sorry."))
    chat = await create_chat(db, llm, tools=[explode, clock])
    with pytest.raises(RunError):
        await chat.ask("Weather?")
    assert (await chat.ask("Never mind")).text == "Sorry."
    assert set(results(server.received[1].said())) == {"call_1", "call_2"}
    failed = next(call for call in await chat.tool_calls() if call.call_id == "call_1")
    assert (failed.status, failed.result) == ("failed", None)
    assert "no weather for Oslo" in (failed.error or "")


async def test_an_unknown_tool_and_wrong_arguments_are_answered(
    db: Database, llm: Model, server: ProviderServer
) -> None:
    wrong = (Call("call_1", "divine", {}), Call("call_2", "weather", {"town": "Oslo"}))
    server.script(Answer(calls=wrong), says("Sorry."))
    chat = await create_chat(db, llm, tools=[weather])
    assert (await chat.ask("Weather?")).text == "Sorry."
    assert set(results(server.received[1].said())) == {"call_1", "call_2"}
    assert {call.call_id: call.status for call in await chat.tool_calls()} == {
        "call_1": "failed",
        "call_2": "failed",
    }


async def test_a_tool_without_words_is_answered(
    db: Database, llm: Model, server: ProviderServer
) -> None:
    def mute(city: str) -> None: ...

    server.script(Answer(calls=(Call("call_1", "mute", {"city": "Oslo"}),)), says("Fine."))
    chat = await create_chat(db, llm, tools=[mute])
    assert (await chat.ask("Shh")).text == "Fine."
    assert set(results(server.received[1].said())) == {"call_1"}


async def test_a_provider_that_repeats_its_call_ids_is_understood(
    db: Database, connect: ConnectModel, server: ProviderServer
) -> None:
    rome = Call("call_1", "weather", {"city": "Rome"})
    server.script(Answer(calls=(OSLO,)), Answer(calls=(rome,)), says("Sunny everywhere."))
    chat = await create_chat(db, connect(OPENAI_CHAT), tools=[weather])
    await chat.ask("Weather?")
    stored = [(call.arguments, call.result) for call in await chat.tool_calls()]
    assert stored == [({"city": "Oslo"}, "sunny in Oslo"), ({"city": "Rome"}, "sunny in Rome")]
