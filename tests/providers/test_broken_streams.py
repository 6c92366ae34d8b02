"""What a bad answer leaves behind: the part that came, why it ended, and a chat that goes on."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pydantic_ai.models import Model

from chatrecord import ChatStream, Chunk
from chatrecord.errors import ChatRecordError, ProviderError, RunError, StreamTruncated
from chatrecord.sqlalchemy import Database, create_chat, load_chat

from .answers import Answer, Call, Ending, says
from .conftest import OPENAI_CHAT, Provider
from .endings import MISBEHAVIOURS, limits
from .rows import answers, is_under_way, last_answer, only_request
from .server import ProviderServer
from .wire import Said

every_misbehaviour = pytest.mark.parametrize("ends", MISBEHAVIOURS)


def broken(ends: Ending) -> Answer:
    """An answer that breaks off after its reasoning and some of its text."""
    return Answer(reasoning=("Hm", "m."), text=("Hel", "lo"), ends=ends)


@every_misbehaviour
async def test_what_came_is_stored_and_the_request_tells_why(
    db: Database, llm: Model, server: ProviderServer, provider: Provider, ends: Ending
) -> None:
    server.script(broken(ends))
    chat = await create_chat(db, llm, settings=provider.thinks, limits=limits(ends), retries=0)
    with pytest.raises(ChatRecordError):
        await chat.ask("Hi")
    message, request = await last_answer(chat), await only_request(chat)
    assert (message.text, message.reasoning) == ("Hello", "Hmm.")
    assert message.status == request.status == MISBEHAVIOURS[ends][1]
    assert message.finish_reason is None
    assert request.message_id == message.id
    assert request.error_type
    assert request.error
    assert request.provider_request_id
    assert 0 < (request.first_token_ms or 0) <= (request.latency_ms or 0)


@every_misbehaviour
async def test_a_stream_yields_what_came_and_then_raises(
    db: Database, llm: Model, server: ProviderServer, provider: Provider, ends: Ending
) -> None:
    server.script(broken(ends))
    chat = await create_chat(db, llm, settings=provider.thinks, limits=limits(ends), retries=0)
    seen: list[Chunk] = []
    with pytest.raises(MISBEHAVIOURS[ends][0]) as caught:
        await read_into(seen, chat.stream("Hi"))
    assert "".join(chunk.text for chunk in seen) == caught.value.text == "Hello"
    assert "".join(chunk.reasoning for chunk in seen) == "Hmm."
    assert caught.value.run_id == (await last_answer(chat)).run_id
    assert isinstance(caught.value.__cause__, Exception) or ends == "truncated"


async def read_into(seen: list[Chunk], stream: ChatStream) -> None:
    async for chunk in stream:
        seen.append(chunk)  # noqa: PERF401 - what came before the error is what matters


@every_misbehaviour
async def test_nothing_is_asked_again_and_the_next_question_repeats_what_came(
    db: Database, llm: Model, server: ProviderServer, ends: Ending
) -> None:
    server.script(says("Hel", "lo", ends=ends))
    chat = await create_chat(db, llm, limits=limits(ends), retries=2)
    with pytest.raises(MISBEHAVIOURS[ends][0]):
        await chat.ask("Hi")
    assert len(server.received) == len(await chat.requests()) == 1
    server.script(says("Goodbye"))
    assert (await chat.ask("Go on")).text == "Goodbye"
    assert spoken(server) == [("user", "Hi"), ("assistant", "Hello"), ("user", "Go on")]


def spoken(server: ProviderServer) -> list[tuple[str, str]]:
    """Who said what in the last request, what was repeated of the answers' words included."""
    return [
        (said.who, said.text)
        for said in server.received[-1].said()
        if said.who in ("user", "assistant")
    ]


def broken_off(answers: tuple[Answer, ...], ends: Ending) -> list[Answer]:
    """These answers, the last of them broken off."""
    *whole, last = answers
    return [*whole, replace(last, ends=ends)]


ROUND = Answer(reasoning=("Well.",), calls=(Call("call_1", "weather", {"city": "Oslo"}),))
PAIR = (Call("call_2", "weather", {"city": "Rome"}), Call("call_3", "weather", {"city": "Kyiv"}))
CUTS: dict[str, tuple[Answer, ...]] = {
    "before anything": (Answer(),),
    "in the reasoning": (Answer(reasoning=("Hm",)),),
    "after the reasoning": (Answer(reasoning=("Hm", "m."), signed=True),),
    "in the text": (Answer(reasoning=("Hmm.",), text=("Hel",)),),
    "in blank text": (says("\n\n"),),
    "in a call": (Answer(calls=PAIR[:1]),),
    "in the second call": (Answer(text=("Let me see.",), calls=PAIR),),
    "in a call after reasoning": (Answer(reasoning=("Hmm.",), calls=PAIR[:1]),),
    "in the text after a round": (ROUND, says("It ")),
    "before anything after a round": (ROUND, Answer()),
    "in a call after a round": (ROUND, Answer(calls=PAIR)),
}
DROPPED = {f"dropped {place}": broken_off(cut, "dropped") for place, cut in CUTS.items()}
TRUNCATED = {
    f"truncated {place}": broken_off(CUTS[place], "truncated")
    for place in ("before anything", "after the reasoning", "in a call", "in a call after a round")
}


def weather(city: str) -> str:
    return f"sunny in {city}"


@pytest.mark.parametrize("script", (DROPPED | TRUNCATED).values(), ids=DROPPED | TRUNCATED)
async def test_wherever_an_answer_breaks_off_the_chat_goes_on(
    db: Database, llm: Model, server: ProviderServer, provider: Provider, script: list[Answer]
) -> None:
    options = {"settings": provider.thinks, "tools": [weather], "retries": 0}
    server.script(*script, says("Goodbye"))
    chat = await create_chat(db, llm, **options)
    with pytest.raises(RunError):
        await chat.ask("Hi")
    again = await load_chat(db, llm, chat.id, **options)
    assert (await again.ask("Go on")).text == "Goodbye"


async def test_a_finished_round_survives_the_break_after_it(
    db: Database, llm: Model, server: ProviderServer
) -> None:
    server.script(ROUND, says("It ", ends="dropped"), says("Goodbye"))
    chat = await create_chat(db, llm, tools=[weather], retries=0)
    with pytest.raises(ProviderError):
        await chat.ask("Weather?")
    await chat.ask("Go on")
    assert Said("result", "sunny in Oslo", "call_1") in server.received[-1].said()


async def test_a_call_that_was_cut_off_is_never_run(
    db: Database, llm: Model, server: ProviderServer
) -> None:
    ran: list[str] = []
    server.script(Answer(calls=PAIR, ends="truncated"))
    chat = await create_chat(db, llm, tools=[recording(ran)], retries=0)
    with pytest.raises(StreamTruncated):
        await chat.ask("Weather?")
    assert ran == []
    assert {call.status for call in await chat.tool_calls()} <= {"interrupted", "failed"}


def recording(ran: list[str]) -> object:
    def weather(city: str) -> str:
        ran.append(city)
        return "sunny"

    return weather


async def test_nothing_is_left_under_way(db: Database, llm: Model, server: ProviderServer) -> None:
    server.script(says("Hello", ends="dropped"))
    chat = await create_chat(db, llm, retries=0)
    with pytest.raises(RunError):
        await chat.ask("Hi")
    assert not await is_under_way(chat)
    assert len(await answers(chat)) == 1


@pytest.mark.parametrize("ends", ["truncated", "dropped", "malformed", "stalled"])
@pytest.mark.parametrize("provider", [OPENAI_CHAT], ids=lambda p: p.name)
async def test_a_stream_that_broke_off_had_been_answered_200(
    db: Database, llm: Model, server: ProviderServer, ends: Ending
) -> None:
    """`None` would say that no response had come at all."""
    server.script(says("Hello", ends=ends))
    chat = await create_chat(db, llm, limits=limits(ends), retries=0)
    with pytest.raises(RunError):
        await chat.ask("Hi")
    assert (await only_request(chat)).http_status == 200
