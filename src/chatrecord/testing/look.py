"""How the conformance suite makes chats, looks at them, and waits for them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from pydantic_ai.messages import (
    ModelMessage,
    ModelMessagesTypeAdapter,
    TextPart,
    ToolReturnPart,
    UserPromptPart,
)
from typing_extensions import Unpack

from chatrecord.chats import opening as chats
from chatrecord.chats.chat import Chat
from chatrecord.chats.opening import NewChat
from chatrecord.chats.options import RuntimeOptions
from chatrecord.ids import new_id
from chatrecord.records import Chunk, Message
from chatrecord.runs.process import Backend
from chatrecord.store.changes import Changes, Lease

PATIENCE = 10.0
"""Seconds after which something that was to happen has not happened."""


async def new_chat(
    backend: Backend,
    llm: object,
    *,
    user_id: str | None = None,
    instructions: str | None = None,
    title: str | None = None,
    metadata: dict[str, Any] | None = None,
    **options: Unpack[RuntimeOptions],
) -> Chat:
    """A chat of this owner."""
    new = NewChat(instructions, title, metadata or {}, {"user_id": user_id})
    return await chats.create_chat(backend, llm, new, options, None)


async def die(backend: Backend, chat: Chat) -> None:
    """What a process does that is killed or paused: say nothing more, until its lease is over."""
    run = await chat.active_run()
    assert run is not None
    journal = backend.runtime.journal
    journal.pause()
    live = journal.live(run.id)
    long_ago = datetime.now(UTC) - timedelta(seconds=1)
    async with live.lock if live is not None else nullcontext():  # a flush may be under way
        await backend.store.flush({Lease(run.id, run.owner, run.epoch, long_ago): []})


async def load(
    backend: Backend, chat: Chat, llm: object, **options: Unpack[RuntimeOptions]
) -> Chat:
    """The same chat, as another process would have it."""
    return await chats.load_chat(backend, llm, chat.id, {}, options)


async def until(happened: Callable[[], Awaitable[bool]]) -> None:
    """Wait until this is true."""
    async with asyncio.timeout(PATIENCE):
        while not await happened():  # noqa: ASYNC110 - a database sets no event
            await asyncio.sleep(0.01)


async def has_messages(chat: Chat) -> bool:
    """Whether a run has begun."""
    return bool(await chat.messages())


async def is_idle(chat: Chat) -> bool:
    """Whether the chat's last answer has ended."""
    messages = await chat.messages(limit=99)
    return bool(messages) and all(message.status != "streaming" for message in messages)


async def has_no_running_tool(chat: Chat) -> bool:
    """Whether every tool has ended."""
    return all(call.status != "running" for call in await chat.tool_calls())


async def ended_answer(chat: Chat) -> Message:
    """The last answer, once it has ended."""
    await until(lambda: is_idle(chat))
    return (await chat.messages())[-1]


async def journal_of(backend: Backend, chat: Chat) -> str:
    """The text that is in the journal for the chat's last answer."""
    last = (await chat.messages())[-1]
    entries = await backend.store.journal(last.id, after=-1)
    payloads: list[Any] = [entry.payload for entry in entries]
    return "".join(payload["text"] for payload in payloads if payload["kind"] == "text")


async def has_journal(backend: Backend, chat: Chat) -> bool:
    """Whether something of an answer has been journaled."""
    return bool(await chat.messages() and await journal_of(backend, chat))


def text_of(chunks: Sequence[Chunk]) -> str:
    """What a reader has printed."""
    return "".join(chunk.text for chunk in chunks)


def spoken(messages: Sequence[ModelMessage]) -> list[tuple[str, str]]:
    """Who said what in a request to the LLM."""
    said = [(part, part.content) for message in messages for part in message.parts
            if isinstance(part, UserPromptPart | TextPart)]  # fmt: skip
    return [
        ("user" if isinstance(part, UserPromptPart) else "assistant", str(content))
        for part, content in said
    ]


def answered_calls(messages: Sequence[ModelMessage]) -> list[str]:
    """The ids of the tool calls that have a result in a request to the LLM."""
    return [
        part.tool_call_id
        for message in messages
        for part in message.parts
        if isinstance(part, ToolReturnPart)
    ]


def dumped(messages: Sequence[ModelMessage]) -> Any:
    """Messages in a form that can be compared."""
    return ModelMessagesTypeAdapter.dump_python(list(messages), mode="json")


async def add_requests(
    backend: Backend,
    chat: Chat,
    costs: Sequence[Decimal],
    *,
    started_at: datetime | None = None,
    price_source: str = "a test",
    list_cost: Decimal | None = None,
    model: str | None = None,
) -> None:
    """More requests like the chat's first, with these costs."""
    (first, *_) = await chat.requests()
    first = replace(
        first,
        started_at=started_at or first.started_at,
        price_source=price_source,
        list_cost=list_cost,
        model=model or first.model,
    )
    changes = Changes(chat.id)
    for cost in costs:
        changes.add(replace(first, id=new_id(), cost=cost))
    await backend.store.write(changes)


async def _break(chat: Chat) -> None:
    seen = ""
    async for chunk in chat.stream("count"):
        seen += chunk.text
        if seen == "one two ":
            break


async def _leave(chat: Chat) -> None:
    async with chat.stream("count") as stream:
        seen = ""
        async for chunk in stream:
            seen += chunk.text
            if seen == "one two ":
                return


async def _cancel(chat: Chat) -> None:
    seen = asyncio.Event()

    async def read() -> None:
        text = ""
        async for chunk in chat.stream("count"):
            text += chunk.text
            if text == "one two ":
                seen.set()

    reading = asyncio.create_task(read())
    await asyncio.wait_for(seen.wait(), PATIENCE)
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)


LEAVING: dict[str, Callable[[Chat], Awaitable[None]]] = {
    "break": _break,
    "with": _leave,
    "cancel": _cancel,
}
"""The ways in which a reader leaves."""
