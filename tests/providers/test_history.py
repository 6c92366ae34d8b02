"""What the next request repeats of a chat."""

from __future__ import annotations

import json
from base64 import b64encode

import pytest
from pydantic import BaseModel
from pydantic_ai import BinaryContent
from pydantic_ai.models import Model

from chatrecord.sqlalchemy import Database, create_chat, load_chat

from .answers import Answer, Call, says, sign
from .conftest import ANTHROPIC, GEMINI, OPENAI_RESPONSES, Provider
from .rows import answers, last_answer
from .server import ProviderServer
from .wire import Said


async def test_instructions_are_sent_on_every_request(
    db: Database, llm: Model, server: ProviderServer
) -> None:
    server.script(Answer(calls=(Call("call_1", "clock"),)), says("Noon."), says("Still noon."))
    chat = await create_chat(db, llm, instructions="Answer like a pirate.", tools=[clock])
    await chat.ask("What time is it?")
    again = await load_chat(db, llm, chat.id, tools=[clock])
    await again.ask("And now?")
    assert [instructions(request.said()) for request in server.received] == [
        ["Answer like a pirate."]
    ] * 3


def instructions(said: list[Said]) -> list[str]:
    return [words.text for words in said if words.who == "system"]


def clock() -> str:
    """The time."""
    return "noon"


THOUGHTFUL = Answer(reasoning=("Hm", "m."), text=("It is ", "noon."))


@pytest.mark.parametrize("provider", [ANTHROPIC, OPENAI_RESPONSES, GEMINI], ids=lambda p: p.name)
async def test_reasoning_is_sent_back_with_its_signature(
    db: Database, llm: Model, server: ProviderServer, provider: Provider
) -> None:
    server.script(THOUGHTFUL, says("Still noon."))
    chat = await create_chat(db, llm, settings=provider.thinks)
    await chat.ask("What time is it?")
    again = await load_chat(db, llm, chat.id, settings=provider.thinks)
    await again.ask("And now?")
    assert Said("thinking", "Hmm.", sign("Hmm.")) in server.received[1].said()


async def test_an_empty_answer_is_never_sent_back(
    db: Database, llm: Model, server: ProviderServer
) -> None:
    server.script(Answer(), says("Hello"), says("Goodbye"))
    chat = await create_chat(db, llm)
    assert (await chat.ask("Hi")).text == "Hello"
    assert (await chat.ask("Go on")).text == "Goodbye"


class City(BaseModel):
    name: str
    people: int


async def test_a_typed_answer_is_replayed(db: Database, llm: Model, server: ProviderServer) -> None:
    oslo = {"name": "Oslo", "people": 720_000}
    server.script(Answer(calls=(Call("call_1", "final_result", oslo),)), says("Norway."))
    chat = await create_chat(db, llm)
    reply = await chat.ask("A city?", output_type=City)
    assert reply.output == City(name="Oslo", people=720_000)
    again = await load_chat(db, llm, chat.id)
    assert (await again.ask("Where is it?")).text == "Norway."


DOT = bytes.fromhex("89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b55")


async def test_a_picture_is_sent_again(db: Database, llm: Model, server: ProviderServer) -> None:
    server.script(says("A dot."), says("White."))
    chat = await create_chat(db, llm)
    await chat.ask(["What is this?", BinaryContent(DOT, media_type="image/png")])
    again = await load_chat(db, llm, chat.id)
    await again.ask("Which colour?")
    for request in server.received:
        assert b64encode(DOT).decode() in json.dumps(request.body)


AWKWARD = {
    "nul": "nul \x00 in it",
    "lone surrogate": "half an emoji \ud83d",
    "marks and emoji": "\u202eright to left\u202c 🧵🪡",
}
every_awkward = pytest.mark.parametrize("text", AWKWARD.values(), ids=AWKWARD)


@every_awkward
async def test_awkward_text_of_a_model_does_not_end_the_chat(
    db: Database, llm: Model, server: ProviderServer, text: str
) -> None:
    server.script(says("It says: ", text), says("Goodbye"))
    chat = await create_chat(db, llm)
    await chat.ask("What does it say?")
    assert (await last_answer(chat)).text == "It says: " + text
    assert (await chat.ask("Go on")).text == "Goodbye"


@every_awkward
async def test_awkward_text_of_a_user_does_not_end_the_chat(
    db: Database, llm: Model, server: ProviderServer, text: str
) -> None:
    server.script(says("I see"), says("Goodbye"))
    chat = await create_chat(db, llm)
    await chat.ask(text)
    assert (await chat.messages())[0].text == text
    assert (await chat.ask("Go on")).text == "Goodbye"
    assert [message.text for message in await answers(chat)] == ["I see", "Goodbye"]
