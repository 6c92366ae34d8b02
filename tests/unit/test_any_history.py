"""Whatever is given as a history: a clear error and nothing written, or a chat that goes on."""

from __future__ import annotations

import asyncio
import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chatrecord.errors import ImportInvalid
from chatrecord.sqlalchemy import Database, import_history, list_chats, load_chat
from chatrecord.testing import Script, say

JSONS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=4,
)
SAMPLES: dict[str, list[Any]] = {
    "langchain": json.loads(
        (Path(__file__).parent / "histories" / "langchain.json").read_text("utf-8")
    ),
    "openai": [
        {"role": "system", "content": "s"},
        {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "http://a/b"}}]},
        {
            "role": "assistant",
            "content": "a",
            "tool_calls": [
                {"id": "c", "type": "function", "function": {"name": "n", "arguments": "{}"}}
            ],
        },
        {"role": "tool", "tool_call_id": "c", "content": "r"},
        {"role": "assistant", "content": [{"type": "text", "text": "b"}]},
    ],
    "pydantic-ai": [
        {"kind": "request", "parts": [{"part_kind": "user-prompt", "content": "q"}]},
        {
            "kind": "response",
            "usage": {"input_tokens": 5},
            "timestamp": "2026-01-01T00:00:00Z",
            "parts": [
                {"part_kind": "tool-call", "tool_name": "n", "args": "{}", "tool_call_id": "c"}
            ],
        },
        {
            "kind": "request",
            "parts": [
                {
                    "part_kind": "tool-return",
                    "tool_name": "n",
                    "content": 5,
                    "tool_call_id": "c",
                    "outcome": "success",
                }
            ],
        },
    ],
}


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where something stands in a JSON value."""
    inside = value.items() if isinstance(value, dict) else enumerate(value)
    found: list[tuple[Any, ...]] = []
    for key, item in inside:
        found.append((*path, key))
        if isinstance(item, dict | list):
            found += places(item, (*path, key))
    return found


@pytest.mark.parametrize("name", SAMPLES)
def test_every_sample_is_taken_over(name: Any) -> None:
    asyncio.run(_taken_or_refused(SAMPLES[name], name, refusable=False))


@pytest.mark.parametrize("name", SAMPLES)
@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_changed_history_is_refused_or_usable(name: Any, data: st.DataObject) -> None:
    messages = copy.deepcopy(SAMPLES[name])
    *path, last = data.draw(st.sampled_from(places(messages)), label="place")
    holder: Any = messages
    for key in path:
        holder = holder[key]
    if data.draw(st.booleans(), label="is removed"):
        del holder[last]
    else:
        holder[last] = data.draw(JSONS, label="value")

    asyncio.run(_taken_or_refused(messages, name))


async def _taken_or_refused(messages: Any, name: Any, *, refusable: bool = True) -> None:
    async with Database("sqlite://") as db:
        await db.create_tables()
        try:
            record = await import_history(db, messages, format=name)
        except ImportInvalid as error:
            assert refusable, error
            assert await list_chats(db) == []
            return
        chat = await load_chat(db, Script([say("on")]), record.id)
        assert (await chat.ask("Go on")).text == "on"
