"""A turn takes little more memory than the files in its request, and only while it runs."""

from __future__ import annotations

import asyncio
import gc
import os
import tracemalloc
from typing import Any
from weakref import ref

import pytest
from pydantic_ai import BinaryContent
from pydantic_ai.messages import ModelMessage
from pydantic_ai.models.function import FunctionModel

from chatrecord.sqlalchemy import Database, create_chat
from chatrecord.testing import Script, say

SIZE, FILES = 2_000_000, 6


async def test_a_turn_holds_each_file_of_its_window_once(backend: Database) -> None:
    chat = await create_chat(backend, Script(*([say("seen")] for _ in range(FILES + 2))))
    for number in range(FILES):
        file = BinaryContent(os.urandom(SIZE), media_type="application/pdf")
        await chat.ask([f"file {number}", file])
    await chat.ask("and now?")
    await asyncio.sleep(0)
    del file
    gc.collect()

    tracemalloc.start()
    await chat.ask("and again?")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < 1.5 * SIZE * FILES


async def test_a_question_holds_its_file_a_few_times(backend: Database) -> None:
    chat = await create_chat(backend, Script([say("a")], [say("b")]))
    await chat.ask("hello")
    file = BinaryContent(os.urandom(SIZE), media_type="application/pdf")
    gc.collect()

    tracemalloc.start()
    await chat.ask(["see", file])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    # Base64 in pieces and as a whole; MySQL's drivers escape the bytes in the text of a statement.
    assert peak < (9 if backend.engine.dialect.name == "mysql" else 4.5) * SIZE


@pytest.mark.parametrize("is_streamed", [False, True])
async def test_what_a_turn_has_sent_is_let_go_of_at_its_end(
    backend: Database, is_streamed: bool
) -> None:
    sent = list[ref[ModelMessage]]()

    async def answer(messages: list[ModelMessage], _: object) -> Any:
        sent.extend(map(ref, messages))
        yield "seen"

    chat = await create_chat(backend, FunctionModel(stream_function=answer))
    # An event loop drops a cancelled timer early only if it is the next one.
    other = asyncio.get_running_loop().call_later(5, print)
    if is_streamed:
        async for _ in chat.stream("Hello?"):
            pass
    else:
        await chat.ask("Hello?")
    await asyncio.sleep(0)
    gc.collect()
    other.cancel()

    assert [found() for found in sent] == [None]
