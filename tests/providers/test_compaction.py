"""What each provider is sent of a chat whose older part is summed up."""

from __future__ import annotations

from itertools import permutations

import pytest
from pydantic_ai.models import Model

from chatrecord import Compact
from chatrecord.sqlalchemy import Database, create_chat, load_chat

from .answers import Answer, Call, Refusal, says
from .conftest import OPENAI_CHAT, PROVIDERS, ConnectModel, Provider
from .server import ProviderServer
from .wire import Said

COMPACT = Compact(above=250, keep=1)
LONG = "It is a long story. " * 30


def weather(city: str) -> str:
    return f"sunny in {city}"


def round_with_tools(number: int = 1) -> list[Answer]:
    oslo, rome = (
        Call(f"call_{city}_{number}", "weather", {"city": city}) for city in ("Oslo", "Rome")
    )
    calls = Answer(reasoning=("Hmm.",), text=("Let me see.",), calls=(oslo, rome))
    return [calls, Answer(reasoning=("Aha.",), text=("Sunny.", LONG))]


def spoken(said: list[Said]) -> list[tuple[str, str]]:
    return [(each.who, each.text) for each in said if each.who != "thinking"]


async def test_a_summary_and_the_last_rounds_are_a_valid_request(
    db: Database, llm: Model, server: ProviderServer, provider: Provider
) -> None:
    """The server refuses what the provider would: roles, calls without results, signatures."""
    server.script(
        *round_with_tools(1), *round_with_tools(2), says("Sunny in Oslo and Rome."), says("Yes."),
        says("Bye."),
    )  # fmt: skip
    chat = await create_chat(
        db, llm, tools=[weather], settings=provider.thinks, instructions="Be brief.",
        compact=COMPACT,
    )  # fmt: skip
    await chat.ask("Weather?")
    await chat.ask("And now?")

    assert (await chat.ask("Sure?")).text == "Yes."
    again = await load_chat(db, llm, chat.id, tools=[weather], settings=provider.thinks,
                            compact=COMPACT)  # fmt: skip
    await again.ask("Thanks")

    asked, sent, later = (spoken(request.said()) for request in server.received[4:])
    assert [who for who, _ in asked] == ["system", "user"]
    assert "Write a summary" in asked[0][1]
    for told in ("User: Weather?", "weather(", "sunny in Oslo", "Assistant: Sunny."):
        assert told in asked[1][1]
    assert "And now?" not in asked[1][1]
    assert [who for who, _ in sent] == [
        "system", "user", "assistant", "call", "call", "result", "result", "assistant", "user",
    ]  # fmt: skip
    assert sent[0] == ("system", "Be brief.")
    assert "Sunny in Oslo and Rome." in sent[1][1]
    assert sent[1][1].endswith("And now?")
    assert "Weather?" not in str(sent)
    assert later[: len(sent) - 1] == sent[:-1]
    (request,) = [row for row in await chat.requests() if row.message_id is not None
                  and row.message_id == (await chat.summaries())[0].id]  # fmt: skip
    assert (request.tokens.input, request.tokens.output) == (12, 5)


async def test_a_summary_alone_and_a_question_are_a_valid_request(
    db: Database, llm: Model, server: ProviderServer
) -> None:
    server.script(says(LONG), says(LONG), says("A story."), says("Yes."), says("Well."))
    chat = await create_chat(db, llm, compact=COMPACT)
    for question in ("Tell me", "More", "And?"):
        await chat.ask(question)
    asked = next(message for message in await chat.messages() if message.text == "More")

    assert (await chat.edit(asked.id, "Another")).text == "Well."

    sent = spoken(server.received[-1].said())
    assert "A story." in sent[0][1]
    assert sent[-1][1].endswith("Another")
    assert {who for who, _ in sent} == {"user"}


@pytest.mark.parametrize(
    ("first", "second"), list(permutations(PROVIDERS, 2)), ids=lambda provider: provider.name
)
async def test_a_summary_is_understood_by_the_next_provider(
    db: Database, connect: ConnectModel, server: ProviderServer, first: Provider, second: Provider
) -> None:
    server.script(*round_with_tools(), says(LONG), says("A story."), says("Yes."), says("Well."))
    chat = await create_chat(db, connect(first), tools=[weather], compact=COMPACT)
    for question in ("Weather?", "More", "And?"):
        await chat.ask(question)

    switched = await load_chat(db, connect(second), chat.id, tools=[weather], compact=COMPACT)
    assert (await switched.ask("Sure?")).text == "Well."

    assert "A story." in spoken(server.received[-1].said())[0][1]


async def test_a_provider_that_refuses_the_summary_still_gets_the_question(
    db: Database, llm: Model, server: ProviderServer
) -> None:
    server.script(says(LONG), says(LONG), Refusal(400, kind="invalid"), says("Yes."))
    chat = await create_chat(db, llm, compact=COMPACT)

    for question in ("Tell me", "More", "And?"):
        await chat.ask(question)

    told = [(row.status, row.http_status) for row in await chat.requests()]
    assert sorted(told) == [("complete", 200)] * 3 + [("failed", 400)]
    assert [text for _, text in spoken(server.received[-1].said())][::2] == [
        "Tell me", "More", "And?",
    ]  # fmt: skip


async def test_a_title_is_asked_for_in_a_valid_request(
    db: Database, llm: Model, server: ProviderServer, provider: Provider
) -> None:
    server.script(*round_with_tools(), says('"Weather in two cities"'))
    chat = await create_chat(db, llm, tools=[weather], settings=provider.thinks)
    await chat.ask("Weather?")

    assert await chat.generate_title() == "Weather in two cities"

    assert [who for who, _ in spoken(server.received[-1].said())] == ["system", "user"]


@pytest.mark.parametrize(
    "pieces",
    [
        ("<think>\nThe user", " asks.\n</think>\n\nTravel policy"),
        ("The user asks.", "\n</think>\n\n", "Travel policy"),
        ("<think>The user asks.</thi", "nk>Travel policy"),
        ("<think>", "The user asks.", "</think>", "\n\n", "Travel policy"),
    ],
    ids=["with the text", "opened by the template", "a tag cut in two", "tags as tokens"],
)
async def test_a_title_has_no_reasoning_in_it(
    db: Database, connect: ConnectModel, server: ProviderServer, pieces: tuple[str, ...]
) -> None:
    server.script(says("It is 30 days."), says(*pieces))
    chat = await create_chat(db, connect(OPENAI_CHAT))
    await chat.ask("How much leave?")

    assert await chat.generate_title() == "Travel policy"
