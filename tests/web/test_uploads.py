"""Files that pages send, and odd ones."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import AsyncIterator
from typing import Any, TypeAlias

import httpx
import pytest
from starlette.applications import Starlette

from chatrecord.sqlalchemy import Database
from chatrecord.testing import Script, say
from chatrecord.web import chat_routes

PNG = b64encode(b"\x89PNG\r\n\x1a\n").decode()
Part: TypeAlias = dict[str, Any]


@pytest.fixture
async def web(any_url: str) -> AsyncIterator[httpx.AsyncClient]:
    async with Database(any_url) as db:
        llm = Script([say("Seen.")], [say("Seen again.")])
        routes = chat_routes(db, llm, owner=lambda _: {"user_id": "ann"}, prefix="/chats")
        transport = httpx.ASGITransport(Starlette(routes=routes))
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            yield client


async def created(web: httpx.AsyncClient) -> str:
    return str((await web.post("/chats/new", json={})).json()["id"])


async def sent(web: httpx.AsyncClient, chat_id: str, part: Part) -> httpx.Response:
    message = {"id": "q1", "role": "user", "parts": [{"type": "file", **part}]}
    body = json.dumps({"id": chat_id, "messages": [message]})
    return await web.post("/chats", content=body, headers={"content-type": "application/json"})


@pytest.mark.parametrize(
    "url",
    ["data:text/plain;base64,", "data:text/plain,", "data:text/plain,\ud800"],
    ids=["empty-base64", "empty", "surrogate"],
)
async def test_a_file_that_cannot_be_one_is_refused(web: httpx.AsyncClient, url: str) -> None:
    chat_id = await created(web)

    told = await sent(web, chat_id, {"url": url})

    assert (told.status_code, told.json()["error"]["code"]) == (422, "invalid_body")
    assert (await web.get(f"/chats/{chat_id}")).json()["messages"] == []


async def test_a_file_whose_name_is_not_unicode_can_be_downloaded(web: httpx.AsyncClient) -> None:
    chat_id = await created(web)
    await sent(web, chat_id, {"url": f"data:image/png;base64,{PNG}", "filename": "a\ud800.png"})

    shown = (await web.get(f"/chats/{chat_id}")).json()["messages"][0]["parts"][0]
    had = await web.get(shown["url"])

    assert (had.status_code, had.content[:4]) == (200, b"\x89PNG")
    assert had.headers["content-disposition"] == "inline; filename*=utf-8''a%3F.png"


@pytest.mark.parametrize(
    "part",
    [
        {"type": "binary", "mimeType": "image/png", "data": PNG, "filename": "a.png"},
        {"type": "binary", "mimeType": "image/png", "url": f"data:image/png;base64,{PNG}",
         "filename": "a.png"},
        {"type": "image", "source": {"type": "data", "mimeType": "image/png", "value": PNG},
         "metadata": {"filename": "a.png"}},
    ],
    ids=["binary", "binary-url", "metadata"],
)  # fmt: skip
async def test_ag_ui_clients_send_a_file_and_its_name(web: httpx.AsyncClient, part: Part) -> None:
    chat_id = await created(web)
    message = {"id": "q1", "role": "user", "content": [part]}

    told = await web.post(
        "/chats", json={"threadId": chat_id, "runId": "r1", "messages": [message]}
    )

    assert "Seen." in told.text
    kept = (await web.get(f"/chats/{chat_id}")).json()["messages"][0]["parts"][0]
    assert (kept["mediaType"], kept["filename"]) == ("image/png", "a.png")


@pytest.mark.parametrize("text", [None, "Look."], ids=["regenerated", "edited"])
async def test_an_ag_ui_client_sends_a_file_back_as_the_history_has_it(
    web: httpx.AsyncClient, text: str | None
) -> None:
    """After a reload, its list has the address of the file, and no longer the file."""
    chat_id = await created(web)
    await sent(web, chat_id, {"url": f"data:image/png;base64,{PNG}", "filename": "a.png"})
    headers = {"x-chat-protocol": "ag-ui"}
    asked = (await web.get(f"/chats/{chat_id}", headers=headers)).json()["messages"][0]
    words = [] if text is None else [{"type": "text", "text": text}]
    message = {"id": asked["id"], "role": "user", "content": [*words, *asked["content"]]}

    told = await web.post(
        "/chats", json={"threadId": chat_id, "runId": "r2", "messages": [message]}
    )

    assert "Seen again." in told.text
    question, _ = (await web.get(f"/chats/{chat_id}")).json()["messages"]
    assert question["parts"][0]["filename"] == "a.png"
    assert question["parts"][-1]["text"] == (text or "")
