"""A consumer that goes away: the run goes on, or it stops, as the policy says."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pydantic_ai.models import Model

from chatrecord.sqlalchemy import Database, create_chat, load_chat

from .answers import Answer, Call, says
from .conftest import OPENAI_CHAT
from .rows import answers, last_answer, only_request, settled, until
from .server import ProviderServer

if TYPE_CHECKING:
    from chatrecord.chats.chat import Chat

ALPHABET = "abcdefghijklmnopqrstuvwxyz"
LONG = says(*ALPHABET * 20, pause=0.01)
SHORT = says(*ALPHABET, pause=0.01)
Leave = Callable[["Chat", ProviderServer], Awaitable[str]]
"""Begin to read an answer and go away; returns what was read."""


async def break_the_loop(chat: Chat, _server: ProviderServer) -> str:
    read = ""
    async for chunk in chat.stream("Hi"):
        read += chunk.text
        if read:
            break
    return read


async def leave_the_block(chat: Chat, _server: ProviderServer) -> str:
    read = ""
    async with chat.stream("Hi") as stream:
        async for chunk in stream:
            read += chunk.text
            if read:
                break
    return read


async def raise_in_the_loop(chat: Chat, _server: ProviderServer) -> str:
    read = ""
    with pytest.raises(ZeroDivisionError):
        async for chunk in chat.stream("Hi"):
            read += chunk.text
            len(read) / 0
    return read


async def be_cancelled(chat: Chat, _server: ProviderServer) -> str:
    read: list[str] = []
    begun = asyncio.Event()

    async def consume() -> None:
        async for chunk in chat.stream("Hi"):
            read.append(chunk.text)
            begun.set()

    consumer = asyncio.create_task(consume())
    await begun.wait()
    consumer.cancel()
    with pytest.raises(asyncio.CancelledError):
        await consumer
    return "".join(read)


async def be_cancelled_asking(chat: Chat, server: ProviderServer) -> str:
    asking = asyncio.create_task(chat.ask("Hi"))
    await until(lambda: server.received and server.received[0].pieces_sent > 2)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    return ""


WAYS = [break_the_loop, leave_the_block, raise_in_the_loop, be_cancelled, be_cancelled_asking]
every_way = pytest.mark.parametrize("leave", WAYS, ids=lambda way: way.__name__)


@every_way
async def test_stop_closes_the_connection_and_keeps_what_came(
    db: Database, llm: Model, server: ProviderServer, leave: Leave
) -> None:
    server.script(LONG)
    chat = await create_chat(db, llm, on_disconnect="stop")
    read = await leave(chat, server)
    await asyncio.wait_for(server.received[0].client_left.wait(), 2)
    await settled(chat)
    message = await last_answer(chat)
    assert message.status == "interrupted"
    assert message.text.startswith(read or "a")
    assert ("".join(LONG.text)).startswith(message.text)
    assert len(message.text) <= server.received[0].pieces_sent < len(LONG.text)


async def test_a_stopped_request_says_so(db: Database, llm: Model, server: ProviderServer) -> None:
    server.script(LONG)
    chat = await create_chat(db, llm, on_disconnect="stop")
    await leave_the_block(chat, server)
    await settled(chat)
    request = await only_request(chat)
    assert request.status == "interrupted"
    assert request.error_type
    assert request.latency_ms


@every_way
@pytest.mark.parametrize("provider", [OPENAI_CHAT], ids=lambda p: p.name)
async def test_continue_lets_the_run_finish_and_stores_it_all(
    db: Database, llm: Model, server: ProviderServer, leave: Leave
) -> None:
    server.script(SHORT)
    chat = await create_chat(db, llm)
    await leave(chat, server)
    await settled(chat)
    message, request = await last_answer(chat), await only_request(chat)
    assert (message.text, message.status) == (ALPHABET, "complete")
    assert (request.status, request.tokens.output) == ("complete", 5)
    assert not server.received[0].client_left.is_set()


async def test_continue_finishes_the_tool_rounds_too(
    db: Database, llm: Model, server: ProviderServer
) -> None:
    server.script(Answer(text=("Wait.",), calls=(Call("call_1", "clock"),)), says("Noon."))
    chat = await create_chat(db, llm, tools=[clock])
    await break_the_loop(chat, server)
    await until(lambda: len(server.received) == 2)
    await settled(chat)
    assert [message.text for message in await answers(chat)] == ["Wait.", "Noon."]


async def clock() -> str:
    await asyncio.sleep(0.05)
    return "noon"


async def test_a_chat_continues_after_a_stop_with_the_partial_answer(
    db: Database, llm: Model, server: ProviderServer
) -> None:
    server.script(LONG, says("Goodbye"))
    chat = await create_chat(db, llm, on_disconnect="stop")
    await leave_the_block(chat, server)
    await settled(chat)
    partial = (await last_answer(chat)).text
    assert (await chat.ask("Go on")).text == "Goodbye"
    assert partial in [said.text for said in server.received[1].said() if said.who == "assistant"]


async def test_a_stop_while_a_tool_runs_leaves_a_history_that_is_valid(
    db: Database, llm: Model, server: ProviderServer
) -> None:
    begun = asyncio.Event()

    async def forever() -> str:
        begun.set()
        await asyncio.sleep(60)
        return "never"

    server.script(Answer(text=("Wait.",), calls=(Call("call_1", "forever"),)), says("Goodbye"))
    chat = await create_chat(db, llm, tools=[forever], on_disconnect="stop")
    async with chat.stream("Hi") as stream:
        async for _ in stream:
            await asyncio.wait_for(begun.wait(), 2)
            break
    await settled(chat)
    assert (await chat.ask("Go on")).text == "Goodbye"
    (call,) = await chat.tool_calls()
    assert (call.status, call.result) == ("interrupted", None)
    assert any(said.who == "result" for said in server.received[1].said())


@pytest.mark.parametrize("provider", [OPENAI_CHAT], ids=lambda p: p.name)
async def test_closing_the_database_stops_a_live_run_and_keeps_what_came(
    db: Database, llm: Model, server: ProviderServer, tmp_path: Path
) -> None:
    server.script(says(*"abcdefgh" * 40, pause=0.01))
    chat = await create_chat(db, llm)
    async with chat.stream("Hi") as stream:
        seen = await anext(stream)
        await db.close()
    await asyncio.wait_for(server.received[0].client_left.wait(), 1)
    async with Database(f"sqlite+aiosqlite:///{tmp_path}/chats.db") as reopened:
        message = await last_answer(await load_chat(reopened, llm, chat.id))
    assert message.status == "interrupted"
    assert message.text.startswith(seen.text)
