"""A turn takes little more memory than the files that its request contains."""

from __future__ import annotations

import asyncio
import gc
import os
import tracemalloc

from pydantic_ai import BinaryContent

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
