"""A provider that falls silent, and one that is only slow."""

from __future__ import annotations

import asyncio

import pytest
from pydantic_ai.models import Model

from chatrecord.errors import StreamStalled
from chatrecord.sqlalchemy import Database, create_chat

from .answers import Answer, Call, Ending, says
from .conftest import OPENAI_CHAT
from .endings import IDLE
from .rows import only_request
from .server import ProviderServer


@pytest.mark.parametrize("ends", ["silent", "stalled"])
async def test_silence_is_a_stall_even_before_the_first_token(
    db: Database, llm: Model, server: ProviderServer, ends: Ending
) -> None:
    server.script(Answer(ends=ends))
    chat = await create_chat(db, llm, limits=IDLE, retries=0)
    with pytest.raises(StreamStalled):
        await chat.ask("Hi")
    assert (await only_request(chat)).status == "failed"
    await asyncio.wait_for(server.received[0].client_left.wait(), 1)


@pytest.mark.parametrize("provider", [OPENAI_CHAT], ids=lambda p: p.name)
async def test_a_slow_stream_is_not_a_stall(
    db: Database, llm: Model, server: ProviderServer
) -> None:
    server.script(says(*"slowly", pause=0.12))
    chat = await create_chat(db, llm, limits=IDLE, retries=0)
    assert (await chat.ask("Hi")).text == "slowly"


@pytest.mark.parametrize("provider", [OPENAI_CHAT], ids=lambda p: p.name)
async def test_a_slow_tool_is_not_a_stall(db: Database, llm: Model, server: ProviderServer) -> None:
    server.script(Answer(calls=(Call("call_1", "dawdle"),)), says("Done"))
    chat = await create_chat(db, llm, tools=[dawdle], limits=IDLE, retries=0)
    assert (await chat.ask("Hi")).text == "Done"


async def dawdle() -> str:
    await asyncio.sleep(0.7)
    return "finally"
