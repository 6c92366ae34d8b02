"""Chats that clients name by ids of their own."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote
from uuid import UUID, uuid4

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request

from chatrecord.sqlalchemy import Database
from chatrecord.testing import Script, say
from chatrecord.web import chat_routes
from chatrecord.web.client_ids import chat_id_for

IDS = ["kq3xV9bTzPwL0aYd", "6f1f3c0e-5a62-4d5f-9b11-2f0e6f7b7a11", "../chat?№ 7", "🙂"]
DECIDED = {"state": "approval-responded", "approval": {"id": "call-1", "approved": True}}


def owner(request: Request) -> dict[str, object]:
    return {"user_id": request.headers["x-user"]}


@pytest.fixture
async def web(sqlite_url: str) -> AsyncIterator[httpx.AsyncClient]:
    async with Database(sqlite_url) as db:
        llm = Script(*[[say("Hello.")] for _ in range(12)])
        routes = chat_routes(
            db, llm, owner=owner, prefix="/chats", create_on_first_message=True, on_busy="wait"
        )
        transport = httpx.ASGITransport(Starlette(routes=routes))
        headers = {"x-user": f"ann-{uuid4()}"}
        async with httpx.AsyncClient(
            transport=transport, base_url="http://test", headers=headers
        ) as client:
            yield client


def question(text: str = "Hi?", message_id: str = "q1") -> dict[str, Any]:
    return {"id": message_id, "role": "user", "parts": [{"type": "text", "text": text}]}


async def history(web: httpx.AsyncClient, chat_id: str, **headers: str) -> list[str]:
    url = httpx.URL("http://test/chats/x").copy_with(raw_path=_path(chat_id))
    shown = (await web.get(url, headers=headers)).json()["messages"]
    return ["".join(part.get("text", "") for part in each["parts"]) for each in shown]


def _path(chat_id: str) -> bytes:
    return f"/chats/{quote(chat_id, safe='')}".encode()


@pytest.mark.parametrize("chat_id", [IDS[0], IDS[1], IDS[3]])
async def test_a_first_question_creates_its_chat(web: httpx.AsyncClient, chat_id: str) -> None:
    told = await web.post("/chats", json={"id": chat_id, "messages": [question()]})
    await web.post("/chats", json={"id": chat_id, "messages": [question("And?", "q2")]})

    assert told.status_code == 200
    assert await history(web, chat_id) == ["Hi?", "Hello.", "And?", "Hello."]
    (listed,) = (await web.get("/chats")).json()["chats"]
    assert listed["metadata"] == {"clientId": chat_id}
    assert await history(web, listed["id"]) == ["Hi?", "Hello.", "And?", "Hello."]


async def test_an_ag_ui_thread_is_created_and_named_as_the_client_does(
    web: httpx.AsyncClient,
) -> None:
    body = {"threadId": IDS[2], "runId": "r1"}
    message = {"id": "q1", "role": "user", "content": "Hi?"}

    told = await web.post("/chats", json={**body, "messages": [message]})

    begun = json.loads(told.text.split("\n\n")[0].removeprefix("data: "))
    assert (begun["threadId"], begun["runId"]) == (IDS[2], "r1")


async def test_the_id_of_anothers_chat_is_as_free_as_any(web: httpx.AsyncClient) -> None:
    """Nobody learns that it is taken, and nobody gets into it."""
    mine = (await web.post("/chats/new", json={})).json()["id"]
    await web.post("/chats", json={"id": mine, "messages": [question("My secret")]})
    await web.post("/chats", json={"id": IDS[0], "messages": [question("My secret")]})

    for chat_id in (mine, IDS[0], str(uuid4())):
        bob = {"x-user": "bob" + web.headers["x-user"]}
        unknown = await web.get(f"/chats/{chat_id}", headers=bob)
        told = await web.post("/chats", json={"id": chat_id, "messages": [question()]}, headers=bob)
        assert (unknown.status_code, told.status_code) == (404, 200)
        assert await history(web, chat_id, **bob) == ["Hi?", "Hello."]
    assert await history(web, mine) == ["My secret", "Hello."]


async def test_two_first_questions_at_once_are_one_chat(web: httpx.AsyncClient) -> None:
    await asyncio.gather(
        *(
            web.post("/chats", json={"id": IDS[0], "messages": [question(text, text)]})
            for text in ("One?", "Two?", "Three?", "Four?")
        )
    )

    shown = await history(web, IDS[0])
    assert sorted(shown[::2]) == ["Four?", "One?", "Three?", "Two?"]
    assert len((await web.get("/chats")).json()["chats"]) == 1


@pytest.mark.parametrize(
    "body",
    [
        {"messages": [{"role": "assistant", "parts": [DECIDED]}]},
        {"trigger": "regenerate-message"},
        {"messages": [question(" ")]},
        {"text": ""},
    ],
)
async def test_only_a_question_creates_a_chat(web: httpx.AsyncClient, body: dict[str, Any]) -> None:
    told = await web.post("/chats", json={"id": IDS[0], **body})

    assert told.status_code in (404, 422)
    assert (await web.get("/chats")).json()["chats"] == []


async def test_a_deleted_chat_is_gone_by_its_clients_id(web: httpx.AsyncClient) -> None:
    await web.post("/chats", json={"id": IDS[0], "messages": [question()]})

    deleted = await web.delete(f"/chats/{IDS[0]}")

    assert deleted.status_code == 204
    assert (await web.get(f"/chats/{IDS[0]}")).status_code == 404
    assert (await web.delete(f"/chats/{IDS[0]}")).status_code == 404


def test_an_id_depends_on_the_whole_scope_and_its_types() -> None:
    scopes: list[dict[str, object]] = [
        {"user_id": "7"},
        {"user_id": 7},
        {"team": "7"},
        {"user_id": "7", "team": "a"},
    ]
    made = {chat_id_for("x", scope) for scope in scopes}

    assert len(made) == 4
    assert chat_id_for("x", {"a": 1, "b": 2}) == chat_id_for("x", {"b": 2, "a": 1})
    assert all(isinstance(each, UUID) and each.version == 5 for each in made)
    assert chat_id_for("a\x00", {"a": 1}) is chat_id_for("a" * 256, {"a": 1}) is None
