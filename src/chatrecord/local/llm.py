"""The local LLM from its start to its end, with the words and the window that suit it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from chatrecord.store.window import Window

from .server import LocalServer

if TYPE_CHECKING:
    from pydantic_ai.models.openai import OpenAIChatModel

INSTRUCTIONS = """\
You are a helpful assistant. Answer in English, in one to three short sentences.

Question: Who are you?
Answer: I am SmolLM2, a small language model that runs on this computer.

Question: What is a volcano?
Answer: A volcano is an opening in the ground where hot melted rock comes out."""
"""Short, and with examples: a model of this size follows those better than rules."""

WINDOW = Window(messages=40, tokens=700)
"""Leaves room in a context of 2048 tokens, and is read in some seconds when a chat is resumed."""


@asynccontextmanager
async def local_llm() -> AsyncIterator[OpenAIChatModel]:
    """Start the local LLM, and stop it at the end.

        async with local_llm() as llm:
            chat = await create_chat(db, llm)

    Loading takes one or two seconds. Raises `ConfigurationError` where it is not set up.
    """
    server = LocalServer()
    server.launch()
    try:
        await asyncio.to_thread(server.wait_until_ready)
        from .model import model_of  # noqa: PLC0415 - slow: only a chat needs pydantic-ai

        async with model_of(server) as model:
            yield model
    finally:
        server.stop()
