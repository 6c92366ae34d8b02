"""Routes that hand over to workers: they store the question, and read what a worker answers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI
from pydantic_ai import Tool
from starlette.applications import Starlette
from starlette.requests import Request

from chatrecord.fastapi import chat_router
from chatrecord.sqlalchemy import Database, load_chat
from chatrecord.testing import Script, call, hang, say
from chatrecord.web import chat_routes


def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


def owner(request: Request) -> dict[str, str]:
    return {"user_id": request.headers.get("x-user", "ann")}


class Site:
    """Routes of a web process, whose workers this test plays."""

    def __init__(self, db: Database, *, is_fastapi: bool = False) -> None:
        self.handed: list[UUID] = []
        self.is_handed = asyncio.Event()
        options: dict[str, Any] = {
            "owner": owner,
            "dispatch": self.hand_over,
            "create_on_first_message": True,
        }
        if is_fastapi:
            app: Any = FastAPI()
            app.include_router(chat_router(db, Script(), prefix="/chats", **options))
        else:
            app = Starlette(routes=chat_routes(db, Script(), prefix="/chats", **options))
        transport = httpx.ASGITransport(app)
        self.web = httpx.AsyncClient(transport=transport, base_url="http://here", timeout=20)

    async def hand_over(self, run_id: UUID) -> None:
        self.handed.append(run_id)
        self.is_handed.set()


async def queued(site: Site, asking: asyncio.Task[httpx.Response]) -> UUID:
    """The run that the routes have handed over."""
    handed = asyncio.create_task(site.is_handed.wait())
    await asyncio.wait([asking, handed], return_when=asyncio.FIRST_COMPLETED)
    assert site.handed, asking.result().text
    return site.handed[0]


async def chat_of(db: Database, site: Site) -> UUID:
    run = await db.store.find_run(site.handed[0])
    assert run is not None
    return run.chat_id


@asynccontextmanager
async def answering(db: Database, *turns: object, **options: object) -> AsyncIterator[None]:
    """A worker of another process, that answers what is queued."""
    stop, script = asyncio.Event(), Script(*turns)
    working = asyncio.create_task(db.work(lambda _: (script, options), stop=stop))
    yield
    stop.set()
    await working


@pytest.fixture
async def worker(tmp_path: Any) -> AsyncIterator[Database]:
    async with Database(f"sqlite+aiosqlite:///{tmp_path / 'chats.db'}") as db:
        yield db


CHAT = "01890000-0000-7000-8000-000000000000"
SSE = {"x-chat-protocol": "sse"}


def events_of(response: httpx.Response) -> list[tuple[str, Any]]:
    lines = [line for line in response.text.splitlines() if line]
    names = [line.removeprefix("event: ") for line in lines if line.startswith("event: ")]
    data = [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: ")]
    return list(zip(names, data, strict=True))


def said(response: httpx.Response) -> str:
    return "".join(data["text"] for name, data in events_of(response) if name == "text")


@pytest.mark.parametrize("is_fastapi", [False, True])
async def test_a_worker_answers_what_the_routes_are_asked(
    db: Database, worker: Database, is_fastapi: bool
) -> None:
    site = Site(db, is_fastapi=is_fastapi)
    asking = asyncio.create_task(
        site.web.post("/chats", json={"id": CHAT, "text": "Hi!"}, headers=SSE)
    )
    await queued(site, asking)

    page = (await site.web.get(f"/chats/{CHAT}")).json()

    (question,) = page["messages"]
    assert (question["parts"][-1]["text"], question["metadata"]["status"]) == ("Hi!", "queued")
    assert page["activeRun"] == {"id": str(site.handed[0])}
    live = asyncio.create_task(site.web.get(f"/chats/{CHAT}/stream", headers=SSE))
    async with answering(worker, [say("Hel", "lo")], [say("Hello again")], [say("Bye")]):
        response = await asking
        assert said(response) == said(await live) == "Hello"
        start, end = events_of(response)[0][1], events_of(response)[-1][1]
        assert (start["questionId"], start["runId"]) == (question["id"], str(site.handed[0]))
        assert end["status"] == "complete"
        page = (await site.web.get(f"/chats/{CHAT}")).json()
        assert [message["id"] for message in page["messages"]] == [
            question["id"], str(site.handed[0]),
        ]  # fmt: skip

        again = {"id": CHAT, "trigger": "regenerate-message", "messageId": str(site.handed[0])}
        assert said(await site.web.post("/chats", json=again, headers=SSE)) == "Hello again"
        edit = {"id": CHAT, "messageId": question["id"], "trigger": "submit-message"}
        edit["messages"] = [  # type: ignore[assignment]
            {"id": question["id"], "role": "user", "parts": [{"type": "text", "text": "Bye!"}]}
        ]
        assert said(await site.web.post("/chats", json=edit, headers=SSE)) == "Bye"

    assert len(set(site.handed)) == 3
    page = (await site.web.get(f"/chats/{CHAT}")).json()
    assert [message["parts"][-1]["text"] for message in page["messages"]] == ["Bye!", "Bye"]


async def test_a_parked_run_is_handed_on_with_its_last_decision(
    db: Database, worker: Database
) -> None:
    site, tools = Site(db), [Tool(add, requires_approval=True)]
    calls = [call("add", "c1", a=1, b=2), call("add", "c2", a=3, b=4)]
    async with answering(worker, calls, [say("Done.")], tools=tools):
        response = await site.web.post("/chats", json={"id": CHAT, "text": "Add"}, headers=SSE)
        assert events_of(response)[-1][1]["status"] == "parked"
        assert len(site.handed) == 1

        await site.web.post(f"/chats/{CHAT}/approve", json={"callId": "c1"})
        assert len(site.handed) == 1
        await site.web.post(f"/chats/{CHAT}/deny", json={"callId": "c2"})
        assert site.handed == [site.handed[0]] * 2

        chat = await load_chat(db, Script(), await chat_of(db, site))
        reply = await chat.follow(site.handed[0])
    assert reply.text == "Done."
    assert [row.status for row in await chat.tool_calls()] == ["complete", "denied"]


async def test_a_queued_question_is_stopped_by_the_page(db: Database) -> None:
    site = Site(db)
    asking = asyncio.create_task(
        site.web.post("/chats", json={"id": CHAT, "text": "Hi!"}, headers=SSE)
    )
    await queued(site, asking)

    stopped = await site.web.post(f"/chats/{CHAT}/stop")

    assert stopped.json() == {"stopped": True}
    assert events_of(await asking)[-1][1]["status"] == "interrupted"
    assert (await site.web.get(f"/chats/{CHAT}")).json()["messages"] == []
    assert (await site.web.get(f"/chats/{CHAT}/stream")).status_code == 204
    chat = await load_chat(db, Script(), await chat_of(db, site))
    assert [run.question_text for run in await chat.runs(status="interrupted")] == ["Hi!"]


async def test_a_reader_of_the_page_survives_its_worker(db: Database, worker: Database) -> None:
    site = Site(db)
    body = {"id": CHAT, "text": "Hi!"}
    sse = asyncio.create_task(site.web.post("/chats", json=body, headers=SSE))
    await queued(site, sse)
    versions = ("5", "6", "7.0.173")
    streams = {
        version: asyncio.create_task(
            site.web.get(f"/chats/{CHAT}/stream", headers={"x-ai-sdk-version": version})
        )
        for version in versions
    }
    ag_ui = asyncio.create_task(
        site.web.get(f"/chats/{CHAT}/stream", headers={"x-chat-protocol": "ag-ui"})
    )
    first = asyncio.create_task(
        worker.work_on(site.handed[0], lambda _: Script([say("half"), hang()]))
    )
    chat = await load_chat(db, Script(), await chat_of(db, site))
    async with chat.follow(site.handed[0]) as reading:
        async for chunk in reading:
            if chunk.text:
                break
    await asyncio.sleep(0.4)  # the other readers have read it, too
    first.cancel()
    await asyncio.wait([first])

    await worker.work_on(site.handed[0], lambda _: Script([say("whole")]))

    names = [(name, data) for name, data in events_of(await sse) if name in ("text", "restart")]
    assert names == [
        ("text", {"text": "half"}), ("restart", {"characters": 4}), ("text", {"text": "whole"}),
    ]  # fmt: skip
    for version, stream in streams.items():
        text = (await stream).text
        assert ('"reset-step"' in text) is version.startswith("7")
        assert text.count('"text-start"') == 2
        assert text.count('"text-end"') == (1 if version.startswith("7") else 2)
    assert "restart" in (await ag_ui).text
