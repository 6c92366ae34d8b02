"""Whatever a model says, thinks, calls and breaks off: what is loaded is what was held."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from itertools import pairwise
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic_ai.messages import ModelRequest, ToolCallPart, ToolReturnPart

from chatrecord import ChatRecordError
from chatrecord.sqlalchemy import Database, create_chat, load_chat
from chatrecord.testing import Script, call, fail, say, think
from chatrecord.testing.look import dumped

TEXT = st.text("ab \n\x00\x1aé🧑\u202e", min_size=1, max_size=6)
SAYS = st.lists(TEXT, min_size=1, max_size=4).map(lambda pieces: say(*pieces))
THINKS = st.builds(lambda text, sign: think(text, signature=sign), TEXT, st.none() | st.just("s=="))
CALLS = st.builds(lambda text: call("echo", text=text), TEXT)
BAD_CALLS = st.sampled_from([call("unknown", x=1), call("echo", arguments="{"), call("broken")])
BREAKS = st.builds(lambda: fail(RuntimeError("cut")))

TOOL_STEP = st.tuples(st.lists(THINKS | SAYS, max_size=2), st.lists(CALLS, min_size=1, max_size=3))
ODD_STEP = st.tuples(
    st.lists(SAYS, max_size=1), st.lists(CALLS | BAD_CALLS, min_size=1, max_size=2)
)
LAST_STEP = st.tuples(st.lists(THINKS, max_size=1), st.lists(SAYS | BREAKS, min_size=1, max_size=2))
TURN = st.tuples(st.lists(TOOL_STEP | ODD_STEP, max_size=2), LAST_STEP)


def echo(text: str) -> dict[str, Any]:
    return {"echo": text}


def broken() -> str:
    msg = "no luck"
    raise ValueError(msg)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(TURN, min_size=1, max_size=3))
def test_what_is_loaded_is_what_was_held(turns: list[Any]) -> None:
    asyncio.run(_converse(turns))


async def _converse(turns: list[Any]) -> None:
    async with Database("sqlite://") as db:
        await db.create_tables()
        chat = await create_chat(db, Script(), tools=[echo, broken])
        for steps, last in turns:
            script = Script(*[[*said, *called] for said, called in (*steps, last)])
            chat = await load_chat(db, script, chat.id, tools=[echo, broken], retries=0)
            with suppress(ChatRecordError):
                await chat.ask("Go on")
        await _is_replayed(db, chat.id)


async def _is_replayed(db: Database, chat_id: Any) -> None:
    held, again = Script([say("one")], [say("two")]), Script([say("two")])
    chat = await load_chat(db, held, chat_id, tools=[echo, broken])
    await chat.ask("first")
    await (await load_chat(db, again, chat_id, tools=[echo, broken])).ask("second")

    before, after = held.requests[-1], again.requests[-1]
    assert dumped(after[: len(before)]) == dumped(before)
    _is_valid(after)
    assert await chat.active_run() is None
    for message in await chat.messages(limit=99):
        assert message.status != "streaming"
        assert await db.store.journal(message.id, after=-1) == []
    assert all(row.status not in ("pending", "running") for row in await chat.tool_calls())


def _is_valid(messages: list[Any]) -> None:
    """One result per call, no empty message, requests and responses in turn."""
    waiting: list[str] = []
    for message in messages:
        assert message.parts
        for part in message.parts:
            if isinstance(part, ToolCallPart):
                waiting.append(part.tool_call_id)
            elif isinstance(part, ToolReturnPart) or getattr(part, "tool_call_id", None):
                waiting.remove(part.tool_call_id)
        assert not waiting or not isinstance(message, ModelRequest)
    kinds = [message.kind for message in messages]
    assert all(kind != following for kind, following in pairwise(kinds))
