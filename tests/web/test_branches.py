"""A page shows the versions of an answer, goes back to one, and copies its chat."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import httpx
import pytest

from .conftest import Site


@pytest.fixture
async def web(site: Site, user: str) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"x-user": user, "x-chat-protocol": "sse"}
    async with httpx.AsyncClient(base_url=site.url, headers=headers, timeout=20) as client:
        yield client


async def ask(web: httpx.AsyncClient, chat_id: UUID | str, key: str, script: str) -> None:
    body = {"id": str(chat_id), "text": "Hello?", "key": key}
    assert (await web.post("/chats", json=body, headers={"x-script": script})).status_code == 200


async def shown(web: httpx.AsyncClient, chat_id: UUID | str) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = (await web.get(f"/chats/{chat_id}")).json()["messages"]
    return messages


def texts(messages: list[dict[str, Any]]) -> list[str]:
    return [message["parts"][-1]["text"] for message in messages]


async def test_a_page_goes_back_to_an_earlier_answer(web: httpx.AsyncClient, chat_id: UUID) -> None:
    await ask(web, chat_id, "q1", "hello")
    question, old = await shown(web, chat_id)
    again = {"id": str(chat_id), "trigger": "regenerate-message", "messages": []}
    assert (await web.post("/chats", json=again, headers={"x-script": "other"})).is_success
    _, new = await shown(web, chat_id)

    found = await web.get(f"/chats/{chat_id}/branches", params={"message": new["id"]})
    assert [branch["isCurrent"] for branch in found.json()["branches"]] == [False, True]
    assert [branch["text"] for branch in found.json()["branches"]] == texts([old, new])
    of_question = await web.get(f"/chats/{chat_id}/branches", params={"message": "q1"})
    assert [branch["id"] for branch in of_question.json()["branches"]] == [question["id"]]

    first = found.json()["branches"][0]["id"]
    done = await web.post(f"/chats/{chat_id}/restore", json={"messageId": first})

    assert done.status_code == 204
    assert await shown(web, chat_id) == [question, old]


async def test_a_page_copies_its_chat(web: httpx.AsyncClient, chat_id: UUID) -> None:
    await ask(web, chat_id, "q1", "hello")
    messages = await shown(web, chat_id)
    await ask(web, chat_id, "q2", "other")

    copy = await web.post(f"/chats/{chat_id}/fork", json={"messageId": messages[1]["id"]})
    whole = await web.post(f"/chats/{chat_id}/fork", json={})

    assert (copy.status_code, whole.status_code) == (201, 201)
    assert texts(await shown(web, copy.json()["id"])) == texts(messages)
    assert len(await shown(web, whole.json()["id"])) == 4


async def test_nobody_else_sees_or_copies_it(
    web: httpx.AsyncClient, site: Site, chat_id: UUID
) -> None:
    await ask(web, chat_id, "q1", "hello")
    _, answer = await shown(web, chat_id)
    async with httpx.AsyncClient(base_url=site.url, headers={"x-user": "mallory"}) as other:
        for work in (
            other.get(f"/chats/{chat_id}/branches", params={"message": answer["id"]}),
            other.post(f"/chats/{chat_id}/restore", json={"messageId": answer["id"]}),
            other.post(f"/chats/{chat_id}/fork", json={}),
        ):
            assert (await work).status_code == 404
    for unknown in ("nonsense", str(chat_id)):
        asked = await web.post(f"/chats/{chat_id}/restore", json={"messageId": unknown})
        assert asked.status_code == 404
