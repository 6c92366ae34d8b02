"""`GET /search`: what was said in the chats of who asks, and in nobody else's."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import Depends, FastAPI, Header
from starlette.applications import Starlette
from starlette.requests import Request

from chatrecord.fastapi import chat_router
from chatrecord.fastapi.schemas import SearchHits
from chatrecord.sqlalchemy import Database, Keys, create_chat, purge
from chatrecord.testing import Script, say
from chatrecord.web import chat_routes


def signed_in(request: Request) -> dict[str, str] | None:
    user = request.headers.get("x-user")
    return {"user_id": user} if user else None


def by_header(x_user: str = Header()) -> dict[str, str]:
    return {"user_id": x_user}


@pytest.fixture(params=["starlette", "fastapi"])
async def page(request: pytest.FixtureRequest, db: Database) -> AsyncIterator[httpx.AsyncClient]:
    async with client(request.param, db) as page:
        yield page


def client(kind: str, db: Database, user: str = "ann") -> httpx.AsyncClient:
    app: Any = FastAPI()
    if kind == "starlette":
        app = Starlette(routes=chat_routes(db, Script(), owner=signed_in, prefix="/chats"))
    else:
        app.include_router(chat_router(db, Script(), owner=Depends(by_header), prefix="/chats"))
    transport = httpx.ASGITransport(app=app)
    return httpx.AsyncClient(transport=transport, base_url="http://t", headers={"x-user": user})


async def talk(db: Database, question: str, user: str = "ann") -> UUID:
    chat = await create_chat(db, Script([say("So it is.")]), user_id=user, title="Chat")
    await chat.ask(question)
    return chat.id


async def test_hits_are_safe_json_in_pages(page: httpx.AsyncClient, db: Database) -> None:
    await db.create_search()
    chats = {str(await talk(db, f'<b>Mole</b> {n} & "\\ud800"')) for n in range(5)}
    await talk(db, "<b>Mole</b> of another", "bob")

    found: list[dict[str, Any]] = []
    after: dict[str, str] = {}
    while True:
        response = await page.get("/chats/search", params={"q": "mole", "limit": 2, **after})
        assert response.status_code == 200, response.text
        SearchHits.model_validate(response.json())
        found += response.json()["hits"]
        if response.json()["next"] is None:
            break
        after = {"after": response.json()["next"]}

    assert {hit["chatId"] for hit in found} == chats
    assert len(found) == 5
    assert found[0]["snippet"][:2] == [
        {"text": "<b>", "match": False},
        {"text": "Mole", "match": True},
    ]
    assert found[0]["role"] == "user"
    assert found[0]["seq"] == 1


@pytest.mark.parametrize("query", ["", "%", '"', "' OR 1=1 --", "*", "\x00"])
async def test_any_query_is_answered(page: httpx.AsyncClient, db: Database, query: str) -> None:
    await db.create_search()
    await talk(db, "A mole")

    response = await page.get("/chats/search", params={"q": query})

    assert response.json() == {"hits": [], "next": None}


@pytest.mark.parametrize(
    "wrong",
    [{"q": "x" * 256}, {"q": "x", "limit": 0}, {"q": "x", "limit": 101}, {"q": "x", "after": "?"},
     {"q": "x", "after": "MXwyfDM"}],
)  # fmt: skip
async def test_what_cannot_be_is_refused(
    page: httpx.AsyncClient, db: Database, wrong: dict[str, Any]
) -> None:
    await db.create_search()

    response = await page.get("/chats/search", params=wrong)

    assert response.status_code == 422
    assert response.json()["error"]["code"] == "invalid_body"


async def test_who_is_not_signed_in_finds_nothing(db: Database) -> None:
    await db.create_search()
    async with client("starlette", db, user="") as page:
        assert (await page.get("/chats/search", params={"q": "x"})).status_code == 401


async def test_a_client_learns_that_there_is_no_search(db: Database, tmp_path: Path) -> None:
    async with client("starlette", db) as page:
        response = await page.get("/chats/search", params={"q": "x"})
        assert (response.status_code, response.json()["error"]["code"]) == (501, "no_search")

    sealed = Database(f"sqlite:///{tmp_path / 'sealed.db'}", encryption=Keys(Keys.new()))
    async with sealed:
        await sealed.create_tables()
        async with client("starlette", sealed) as page:
            response = await page.get("/chats/search", params={"q": "x"})
            assert (response.status_code, response.json()["error"]["code"]) == (501, "no_search")


async def test_a_chat_deleted_by_a_page_can_be_restored_for_the_retention(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'kept.db'}"
    async with Database(url, retention=timedelta(days=30)) as db:
        await db.create_tables()
        await db.create_search()
        chat = await talk(db, "A mole")
        async with client("fastapi", db) as page:
            assert (await page.delete(f"/chats/{chat}")).status_code == 204
            assert (await page.delete(f"/chats/{chat}")).status_code == 404
            assert (await page.get(f"/chats/{chat}")).status_code == 404
            assert (await page.get("/chats")).json()["chats"] == []
            assert (await page.get("/chats/search", params={"q": "mole"})).json()["hits"] == []

            assert await purge(db) == 0
            deleted = (await page.get("/chats/deleted")).json()["chats"]
            assert [found["id"] for found in deleted] == [str(chat)]
            async with client("starlette", db, "bob") as other:
                assert (await other.get("/chats/deleted")).json() == {"chats": []}
                assert (await other.post(f"/chats/{chat}/undelete")).status_code == 404
            restored = await page.post(f"/chats/{chat}/undelete")
            assert (restored.status_code, restored.json()["id"]) == (200, str(chat))
            assert (await page.post(f"/chats/{chat}/undelete")).status_code == 404

            assert (await page.get(f"/chats/{chat}")).status_code == 200
            assert len((await page.get("/chats/search", params={"q": "mole"})).json()["hits"]) == 1
