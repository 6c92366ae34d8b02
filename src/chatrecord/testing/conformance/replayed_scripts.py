"""Stored chats are replayed in tests: what one database keeps gives the same chat in another."""

from __future__ import annotations

import pytest

from chatrecord.chats.chat import Chat
from chatrecord.errors import RunError
from chatrecord.runs.process import Backend
from chatrecord.testing.look import new_chat
from chatrecord.testing.script import Script, call, fail, say, think

from .shared import AWKWARD


class StoredChatsAreReplayed:
    """`Script.from_chat`."""

    async def test_a_stored_chat_is_replayed(self, backend: Backend) -> None:
        async def look_up(word: str, times: int = 1) -> dict[str, object]:
            return {"word": word, "times": times, "raw": b"\x00\xff"}

        llm = Script(
            [
                think(AWKWARD, signature="signed"),
                call("look_up", "c1", word=AWKWARD),
                call("look_up", "c2", word="other", times=2),
            ],
            [say(AWKWARD)],
            [say("Half "), fail(ConnectionError("reset"))],
        )
        chat = await new_chat(backend, llm, tools=[look_up], retries=0)
        await chat.ask(AWKWARD)
        with pytest.raises(RunError) as first:
            await chat.ask("Again")

        script = await Script.from_chat(chat)
        again = await new_chat(backend, script, tools=script.tools, retries=0)
        await again.ask(AWKWARD)
        with pytest.raises(type(first.value)) as second:
            await again.ask("Again")

        assert second.value.text == first.value.text
        assert await _told(again) == await _told(chat)


async def _told(chat: Chat) -> list[object]:
    messages, calls = await chat.messages(), await chat.tool_calls()
    return [
        *[(it.role, it.status, it.text, it.reasoning) for it in messages],
        *[(it.call_id, it.name, it.arguments, it.status, it.result) for it in calls],
    ]
