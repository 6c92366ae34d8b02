"""The server is killed in mid-answer, and started again."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx

from .app import WORDS
from .conftest import serving

WHOLE = "".join(WORDS)


def text_of(stream: str) -> str:
    told = [json.loads(line[6:]) for line in stream.split("\n\n") if line.startswith("data: {")]
    return "".join(chunk.get("delta", "") for chunk in told)


async def test_a_killed_server_leaves_the_partial_answer_and_a_way_to_go_on(tmp_path: Path) -> None:
    database = f"sqlite+aiosqlite:///{tmp_path / 'chats.db'}"
    seen = ""
    with serving(database) as (process, url):
        async with httpx.AsyncClient(base_url=url, headers={"x-user": "ann"}) as web:
            made = (await web.post("/chats/new", json={})).json()
            try:
                async with web.stream(
                    "POST",
                    "/chats",
                    json={"id": made["id"], "text": "Go on."},
                    headers={"x-script": "slow"},
                ) as told:
                    async for piece in told.aiter_text():
                        seen += piece
                        if "word5" in seen:
                            process.kill()
            except httpx.TransportError:
                pass
    with serving(database) as (_, url):
        async with httpx.AsyncClient(base_url=url, headers={"x-user": "ann"}) as web:
            broken = await until_interrupted(web, made["id"])
            kept = broken["parts"][1]["text"]
            assert WHOLE.startswith(kept)
            assert kept.startswith(text_of(seen))
            resumed = await web.post(f"/chats/{made['id']}/resume", headers={"x-script": "hello"})
            stored = (await web.get(f"/chats/{made['id']}")).json()["messages"]
    assert text_of(resumed.text).startswith("Hello there")
    assert [part.get("text") for part in stored[1]["parts"]] == [None, text_of(resumed.text)]
    assert stored[1]["id"] == broken["id"]
    assert stored[1]["metadata"]["status"] == "complete"


async def until_interrupted(web: httpx.AsyncClient, chat_id: str) -> dict[str, Any]:
    """The answer, once the lease of the killed process is over."""
    for _ in range(100):
        shown = (await web.get(f"/chats/{chat_id}")).json()
        if shown["messages"][-1]["metadata"].get("status") == "interrupted":
            assert shown["activeRun"] is None
            return shown["messages"][-1]
        await asyncio.sleep(0.1)
    raise AssertionError(shown)
