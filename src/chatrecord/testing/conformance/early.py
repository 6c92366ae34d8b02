"""Delivery ahead of the database, and how far it may run ahead."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from chatrecord.chats.stream import ChatStream
from chatrecord.runs.chunk_buffer import EARLY
from chatrecord.runs.process import Backend
from chatrecord.testing.look import journal_of, new_chat, text_of
from chatrecord.testing.script import Script, call, meet, say

from .shared import AWKWARD, add, kinds_of, read

PAUSE = 0.01
"""Seconds between two pieces."""


class DeliveryCanBeEarly:
    """Delivery ahead of the database, and how far it may run ahead."""

    async def test_a_chunk_is_delivered_before_it_is_stored_if_asked_to(
        self, backend: Backend
    ) -> None:
        gate = asyncio.Event()
        script = Script([say("a", "b", pause=PAUSE), meet(gate.wait), say("c")])
        chat = await new_chat(backend, script, deliver="early")
        backend.runtime.journal.pause()
        stream = chat.stream("Go")

        assert [(await anext(stream)).text for _ in "ab"] == ["a", "b"]
        assert await journal_of(backend, chat) == ""

        backend.runtime.journal.go_on()
        gate.set()
        assert text_of(await read(stream)) == "c"
        assert (await chat.messages())[-1].text == "abc"

    async def test_early_delivery_waits_for_a_database_that_is_slow(self, backend: Backend) -> None:
        pieces = [f"{n} " for n in range(100)]
        script = Script([say(*pieces, pause=PAUSE), call("add", "c1", a=1, b=2)], [say("3")])
        chat = await new_chat(backend, script, tools=[add], deliver="early")
        backend.runtime.journal.pause()
        stream = chat.stream("Go")

        seen = await _until_silence(stream)

        assert 0 < len(seen) <= EARLY / PAUSE + 1
        backend.runtime.journal.go_on()
        text = "".join(seen) + text_of(await read(stream))
        assert text == "".join(pieces) + "3"
        assert [message.text for message in await chat.messages()][1:] == ["".join(pieces), "", "3"]

    async def test_early_or_not_the_same_is_delivered_and_stored(self, backend: Backend) -> None:
        script = Script([say(AWKWARD, pause=PAUSE), call("add", "c1", a=1, b=2)], [say(AWKWARD)])
        chat = await new_chat(backend, script, tools=[add], deliver="early")

        chunks = await read(chat.stream("Go"))

        assert kinds_of(chunks) == ["text", "tool_call", "tool_result", "text"]
        assert text_of(chunks) == AWKWARD * 2
        texts = [message.text for message in await chat.messages() if message.role == "assistant"]
        assert texts == [AWKWARD] * 2
        again = await read(chat.follow())
        assert text_of(again) == AWKWARD * 2


async def _until_silence(stream: ChatStream) -> list[str]:
    """What comes, until nothing has for a while."""
    seen: list[str] = []

    async def gather() -> None:
        while True:
            seen.append((await anext(stream)).text)

    gathering = asyncio.create_task(gather())
    before = -1
    while before != len(seen) or not seen:
        before = len(seen)
        await asyncio.sleep(2 * EARLY)
    gathering.cancel()
    with suppress(asyncio.CancelledError):
        await gathering
    return seen
