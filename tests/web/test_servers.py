"""Several servers on one database, one of which is killed in mid-answer."""

from __future__ import annotations

import asyncio
import json
import subprocess
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
            assert "stopped" not in broken["metadata"]
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


async def test_another_server_shows_and_stops_an_answer(tmp_path: Path) -> None:
    database = f"sqlite+aiosqlite:///{tmp_path / 'chats.db'}"
    with serving(database) as (_, here), serving(database) as (_, there):
        async with (
            httpx.AsyncClient(base_url=here, headers={"x-user": "ann"}) as mine,
            httpx.AsyncClient(base_url=there, headers={"x-user": "ann"}) as other,
        ):
            made = (await mine.post("/chats/new", json={})).json()
            body = {"id": made["id"], "text": "Go on."}
            async with mine.stream(
                "POST", "/chats", json=body, headers={"x-script": "slower"}
            ) as first:
                following = asyncio.create_task(other.get(f"/chats/{made['id']}/stream"))
                await asyncio.sleep(0.6)
                stopped = await other.post(f"/chats/{made['id']}/stop")
                seen = (await first.aread()).decode()
            followed = (await following).text
            stored = (await other.get(f"/chats/{made['id']}")).json()["messages"][1]
    assert stopped.json() == {"stopped": True}
    assert text_of(seen) == text_of(followed) == stored["parts"][1]["text"] != WHOLE
    assert seen.count('"type":"abort"') == followed.count('"type":"abort"') == 1
    assert '"stopped":true' in seen and '"stopped":true' in followed
    assert (stored["metadata"]["status"], stored["metadata"]["stopped"]) == ("interrupted", True)


async def test_a_server_that_is_asked_to_end_ends_its_open_streams(tmp_path: Path) -> None:
    """Before it closes them: the client has what is stored, and knows that it is not all."""
    database = f"sqlite+aiosqlite:///{tmp_path / 'chats.db'}"
    with serving(database) as (process, url):
        async with httpx.AsyncClient(base_url=url, headers={"x-user": "ann"}) as web:
            made = (await web.post("/chats/new", json={})).json()
            seen = await read_until_asked_to_end(web, made["id"], process)
        process.wait(20)
    with serving(database) as (_, url):
        async with httpx.AsyncClient(base_url=url, headers={"x-user": "ann"}) as web:
            stored = (await web.get(f"/chats/{made['id']}")).json()["messages"][1]
    assert seen.endswith("data: [DONE]\n\n")
    assert '"status":"interrupted"' in seen
    assert '"stopped"' not in seen
    assert text_of(seen) == stored["parts"][1]["text"] != WHOLE
    assert stored["metadata"]["status"] == "interrupted"


async def read_until_asked_to_end(
    web: httpx.AsyncClient, chat_id: str, process: subprocess.Popen[str]
) -> str:
    """All of a stream whose server is asked to end in the middle of it."""
    seen = ""
    body, headers = {"id": chat_id, "text": "Go on."}, {"x-script": "slower"}
    async with web.stream("POST", "/chats", json=body, headers=headers) as told:
        async for piece in told.aiter_text():
            seen += piece
            if "word2" in seen and "word3" not in seen:
                process.terminate()
    return seen


async def test_an_answer_goes_on_where_only_its_reader_is_asked_to_end(tmp_path: Path) -> None:
    database = f"sqlite+aiosqlite:///{tmp_path / 'chats.db'}"
    with serving(database) as (_, here), serving(database) as (process, there):
        async with (
            httpx.AsyncClient(base_url=here, headers={"x-user": "ann"}) as mine,
            httpx.AsyncClient(base_url=there, headers={"x-user": "ann"}) as other,
        ):
            made = (await mine.post("/chats/new", json={})).json()
            body = {"id": made["id"], "text": "Go on."}
            asking = asyncio.create_task(
                mine.post("/chats", json=body, headers={"x-script": "slower"})
            )
            await asyncio.sleep(0.6)
            following = asyncio.create_task(other.get(f"/chats/{made['id']}/stream"))
            await asyncio.sleep(0.6)
            process.terminate()
            followed = (await following).text
            told = (await asking).text
    assert followed.endswith("data: [DONE]\n\n")
    assert '"status":"streaming","error":{"code":"server_ends"' in followed
    assert text_of(followed) != text_of(told) == WHOLE
