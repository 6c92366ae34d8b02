"""A page keeps what its user thinks of answers, and shows it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import httpx
import pytest

from .conftest import Site


@pytest.fixture
async def web(site: Site, user: str) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"x-user": user, "x-chat-protocol": "sse", "x-script": "hello"}
    async with httpx.AsyncClient(base_url=site.url, headers=headers, timeout=20) as client:
        yield client


async def answered(web: httpx.AsyncClient, chat_id: UUID) -> dict[str, Any]:
    body = {"id": str(chat_id), "text": "Hello?", "key": "q1"}
    assert (await web.post("/chats", json=body)).status_code == 200
    return await answer(web, chat_id)


async def answer(web: httpx.AsyncClient, chat_id: UUID, protocol: str = "ai-sdk") -> dict[str, Any]:
    page = await web.get(f"/chats/{chat_id}", headers={"x-chat-protocol": protocol})
    (found,) = [it for it in page.json()["messages"] if it["role"] == "assistant"]
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("protocol", ["ai-sdk", "ag-ui"])
async def test_a_page_shows_what_its_user_thinks(
    web: httpx.AsyncClient, chat_id: UUID, protocol: str
) -> None:
    await answered(web, chat_id)
    shown = await answer(web, chat_id, protocol)
    assert "feedback" not in shown["metadata"]
    rating = {"messageId": shown["id"], "value": -1, "comment": "No."}

    told = await web.post(f"/chats/{chat_id}/feedback", json=rating)

    assert told.json() == {"feedback": {"value": -1.0, "comment": "No."}}
    shown = await answer(web, chat_id, protocol)
    assert shown["metadata"]["feedback"] == {"value": -1.0, "comment": "No."}
    withdrawn = {"messageId": shown["id"], "value": None}
    assert (await web.post(f"/chats/{chat_id}/feedback", json=withdrawn)).json() == {
        "feedback": None
    }
    assert "feedback" not in (await answer(web, chat_id, protocol))["metadata"]


async def test_a_page_rates_no_chat_of_others_and_nothing_that_is_not_there(
    web: httpx.AsyncClient, site: Site, chat_id: UUID
) -> None:
    shown = await answered(web, chat_id)
    path, rating = f"/chats/{chat_id}/feedback", {"messageId": shown["id"], "value": 1}
    async with httpx.AsyncClient(base_url=site.url, headers={"x-user": "mallory"}) as other:
        assert (await other.post(path, json=rating)).status_code == 404
    for wrong, status in (
        ({**rating, "messageId": str(chat_id)}, 404),
        ({**rating, "value": "good"}, 422),
        ({**rating, "value": True}, 422),
        ({**rating, "value": 10**400}, 422),
        ({**rating, "comment": "x" * 10_001}, 422),
        ({"value": 1}, 422),
    ):
        assert (await web.post(path, json=wrong)).status_code == status
    assert "feedback" not in (await answer(web, chat_id))["metadata"]
