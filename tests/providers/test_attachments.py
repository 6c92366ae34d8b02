"""Every provider gets a file the way it wants it, with the question and with each one after it."""

from __future__ import annotations

from base64 import b64decode, urlsafe_b64decode
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic_ai.models import Model

from chatrecord import Attachment
from chatrecord.errors import RunError
from chatrecord.sqlalchemy import Database, create_chat, load_chat

from .answers import says
from .clients import ConnectModel
from .conftest import ANTHROPIC, GEMINI, OPENAI_CHAT, OPENAI_RESPONSES, Provider
from .server import ProviderServer

PNG = bytes.fromhex("89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b55")
PDF = b"%PDF-1.7\n" + bytes(range(256))
WAV = b"RIFF\x24\x00\x00\x00WAVEfmt " + bytes(range(256))
NOTES = "Grüße an Ada"
FILES = [
    Attachment(data=PNG, name="dot.png"),
    Attachment(data=PDF, name="policy.pdf"),
    Attachment(data=NOTES.encode(), name="notes.txt"),
]


async def test_files_are_sent_with_the_first_question_and_the_next(
    db: Database, llm: Model, server: ProviderServer
) -> None:
    server.script(says("Three files."), says("Still three."))
    chat = await create_chat(db, llm)
    await chat.ask("What are these?", attachments=FILES)
    again = await load_chat(db, llm, chat.id)
    await again.ask("And now?")

    first, second = [request.body for request in server.received]
    for body in (first, second):
        assert ("image/png", PNG) in list(files_in(body))
        assert ("application/pdf", PDF) in list(files_in(body))
        assert says_anywhere(body, NOTES)
    assert first_turn(second) == first_turn(first), "to the letter, for the provider's cache"


@pytest.mark.parametrize("provider", [OPENAI_CHAT, GEMINI], ids=lambda p: p.name)
async def test_sound_is_sent_to_those_who_listen(
    db: Database, llm: Model, server: ProviderServer
) -> None:
    server.script(says("A voice."), says("Ada's."))
    chat = await create_chat(db, llm)
    await chat.ask("What is it?", attachments=[Attachment(data=WAV)])
    await chat.ask("Whose?")

    for request in server.received:
        assert [data for _, data in files_in(request.body)] == [WAV]


@pytest.mark.parametrize("provider", [ANTHROPIC, OPENAI_RESPONSES], ids=lambda p: p.name)
async def test_sound_for_the_deaf_is_refused_before_it_is_sent(
    db: Database, llm: Model, server: ProviderServer
) -> None:
    chat = await create_chat(db, llm)
    with pytest.raises(RunError, match=r"(?i)not supported|unsupported"):
        await chat.ask("What is it?", attachments=[Attachment(data=WAV)])
    assert server.received == []
    server.script(says("I heard nothing."))
    assert (await chat.ask("And without?")).text == "I heard nothing.", "the chat goes on"


async def test_a_chat_with_audio_continues_with_models_without_audio(
    db: Database, connect: ConnectModel, server: ProviderServer, provider: Provider
) -> None:
    server.script(says("A voice."), says("I was told."))
    chat = await create_chat(db, connect(OPENAI_CHAT))
    await chat.ask("What is it?", attachments=[Attachment(data=WAV, name="voice.wav")])

    again = await load_chat(db, connect(provider), chat.id)
    assert (await again.ask("Whose?")).text == "I was told."

    sent = server.received[1].body
    is_heard = provider in (OPENAI_CHAT, GEMINI)
    assert [data for _, data in files_in(sent)] == ([WAV] if is_heard else [])
    assert says_anywhere(sent, "The file voice.wav (audio/") != is_heard


@pytest.mark.parametrize(
    "provider", [OPENAI_CHAT, OPENAI_RESPONSES, ANTHROPIC], ids=lambda p: p.name
)
async def test_the_address_of_a_picture_is_passed_on_and_not_fetched(
    db: Database, llm: Model, server: ProviderServer
) -> None:
    """It leads nowhere: whoever tried to fetch it would fail."""
    address = "https://nowhere.invalid/cat.jpg"
    server.script(says("A cat."), says("Black."))
    chat = await create_chat(db, llm)
    await chat.ask("What is it?", attachments=[address])
    await chat.ask("Which colour?")
    for request in server.received:
        assert says_anywhere(request.body, address)


@pytest.mark.parametrize("fetch", [False, True], ids=["Gemini takes none", "asked for"])
async def test_what_is_fetched_is_never_in_ones_own_network(
    db: Database, connect: ConnectModel, server: ProviderServer, fetch: bool
) -> None:
    chat = await create_chat(db, connect(ANTHROPIC if fetch else GEMINI))
    inside = Attachment(url=f"{server.address}/secret.png", fetch=fetch)
    with pytest.raises(RunError, match=r"(?i)private"):
        await chat.ask("What is it?", attachments=[inside])
    assert server.received == []


def first_turn(body: dict[str, Any]) -> Any:
    """The question that the chat began with."""
    turns = body.get("messages") or body.get("input") or body["contents"]
    asked = next(turn for turn in turns if turn.get("role") == "user")
    return {name: value for name, value in asked.items() if name != "cache_control"}


def files_in(value: Any) -> Iterator[tuple[str, bytes]]:
    """Every file in a body, as data: URL or as base64 beside its media type."""
    if isinstance(value, list):
        for item in value:
            yield from files_in(item)
    elif isinstance(value, dict):
        kind = value.get("media_type") or value.get("mimeType") or value.get("mime_type")
        kind = kind or value.get("format")
        if (
            isinstance(kind, str)
            and isinstance(value.get("data"), str)
            and value.get("type") != "text"
        ):
            yield kind, decoded(value["data"])
        for item in value.values():
            yield from files_in(item)
    elif isinstance(value, str) and value.startswith("data:"):
        kind, _, data = value.removeprefix("data:").partition(";base64,")
        yield kind, decoded(data)


def decoded(data: str) -> bytes:
    return urlsafe_b64decode(data) if "-" in data or "_" in data else b64decode(data)


def says_anywhere(value: Any, words: str) -> bool:
    """Whether these words stand in a body, in the open or in a text file."""
    if isinstance(value, str):
        return words in value
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    return any(says_anywhere(item, words) for item in items) or any(
        kind == "text/plain" and data.decode() == words for kind, data in files_in(value)
    )
