"""What a chat's rows say, asked through the public API."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chatrecord.chats.chat import Chat
    from chatrecord.records import ApiRequest, Message

PATIENCE = 5.0
"""Seconds a run may take to end by itself after its consumer has left."""


async def answers(chat: Chat) -> list[Message]:
    """The assistant's messages, oldest first."""
    return [message for message in await chat.messages(limit=100) if message.role == "assistant"]


async def last_answer(chat: Chat) -> Message:
    return (await answers(chat))[-1]


async def only_request(chat: Chat) -> ApiRequest:
    (request,) = await chat.requests()
    return request


async def settled(chat: Chat) -> None:
    """Wait until nothing of the chat is under way any more."""
    async with asyncio.timeout(PATIENCE):
        while await is_under_way(chat):  # noqa: ASYNC110 - rows announce nothing
            await asyncio.sleep(0.01)


async def is_under_way(chat: Chat) -> bool:
    requests = [request.status == "running" for request in await chat.requests()]
    messages = [message.status == "streaming" for message in await chat.messages(limit=100)]
    return any(requests) or any(messages)


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110 - nobody announces it
            await asyncio.sleep(0.01)
