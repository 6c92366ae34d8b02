"""A page changes what the application has named, and never whose a chat is."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import own_tables as hr
import pytest
from sqlalchemy import insert, text
from sqlalchemy.orm import DeclarativeBase, Mapped
from starlette.applications import Starlette

from chatrecord.sqlalchemy import (
    ChatMixin,
    ChunkMixin,
    Database,
    MessageMixin,
    RequestMixin,
    RunMixin,
    ToolCallMixin,
    load_chat,
)
from chatrecord.testing import Script
from chatrecord.web import chat_routes

from .conftest import Site


@pytest.fixture
async def web(site: Site, user: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=site.url, headers={"x-user": user}, timeout=20) as client:
        yield client


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ({}, "nothing to change"),
        ({"title": " "}, "blank"),
        ({"title": 7}, "text"),
        ({"metadata": {"team": "IT"}}, "'metadata' cannot be changed"),
        ({"title": "Mine", "user_id": "somebody-else"}, "'user_id' cannot be changed"),
        ({"title": "Mine", "id": "01890000-0000-7000-8000-000000000000"}, "'id' cannot be changed"),
    ],
)
async def test_a_page_changes_nothing_that_is_not_named(
    web: httpx.AsyncClient, chat_id: UUID, body: dict[str, Any], word: str
) -> None:
    before = (await web.get(f"/chats/{chat_id}")).json()["chat"]
    told = await web.patch(f"/chats/{chat_id}", json=body)
    assert told.status_code == 422
    assert word in told.json()["error"]["message"]
    assert (await web.get(f"/chats/{chat_id}")).json()["chat"] == before


async def test_a_page_changes_what_the_application_has_named(tmp_path: Path) -> None:
    """Never the columns that say whose a chat is, even if they are named."""
    url = f"sqlite:///{tmp_path / 'hr.db'}"
    async with Database(url, models=hr.Base) as db:
        await db.create_tables()
        async with db.engine.begin() as connection:
            await connection.execute(insert(hr.User), [{"id": 1, "name": "Ann"}])
        editable = ["title", "metadata", "instructions", "department", "priority", "user_id"]
        routes = chat_routes(db, Script(), owner=lambda _: {"user_id": 1}, editable=editable)
        transport = httpx.ASGITransport(Starlette(routes=routes))
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as page:
            chat = (await page.post("/new", json={"title": "Old"})).json()
            path = f"/{chat['id']}"
            changes = {"title": "New", "metadata": {"a": [1]}, "instructions": "Be brief.",
                       "department": "HR", "priority": 1}  # fmt: skip

            changed = await page.patch(path, json=changes)
            assert changed.json() == {**chat, "title": "New", "metadata": {"a": [1]}}
            record = (await load_chat(db, Script(), chat["id"], user_id=1)).record
            assert record.instructions == "Be brief."
            assert record.columns == {"user_id": 1, "department": "HR", "priority": 1}

            for refused in (
                {"user_id": 2},
                {"department": 7},
                {"department": {"$ne": ""}},
                {"priority": None},
                {"priority": "high"},
                {"metadata": "all"},
                {"metadata": {"text": "x" * 10_001}},
                {"instructions": 7},
            ):
                told = await page.patch(path, json={"title": "No", **refused})
                assert told.status_code == 422, told.text
            assert (await load_chat(db, Script(), chat["id"], user_id=1)).record == record
            assert (await page.patch(path, json={"metadata": None})).json()["metadata"] == {}


async def test_a_value_that_the_database_refuses_is_a_422(tmp_path: Path) -> None:
    """As by an index of the application's own: the page is not to send it again."""
    async with Database(f"sqlite:///{tmp_path / 'hr.db'}", models=hr.Base) as db:
        await db.create_tables()
        async with db.engine.begin() as connection:
            await connection.execute(insert(hr.User), [{"id": 1, "name": "Ann"}])
            await connection.execute(text("CREATE UNIQUE INDEX once ON hr_chats (dept)"))
        owner = lambda _: {"user_id": 1}  # noqa: E731
        routes = chat_routes(db, Script(), owner=owner, editable=["department"])
        transport = httpx.ASGITransport(Starlette(routes=routes))
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as page:
            first, second = [(await page.post("/new", json={})).json()["id"] for _ in range(2)]
            assert (await page.patch(f"/{first}", json={"department": "HR"})).status_code == 200
            for refused in ("HR", "\ud800"):
                told = await page.patch(f"/{second}", content=json.dumps({"department": refused}),
                                        headers={"content-type": "application/json"})  # fmt: skip
                assert told.status_code == 422, told.text
                assert told.json()["error"]["message"] == "Not a value of 'department'."
        record = (await load_chat(db, Script(), second, user_id=1)).record
        assert record.columns["department"] is None


def test_a_column_of_the_name_of_an_argument_cannot_be_named(tmp_path: Path) -> None:
    """Who may set a column `llm` of the application's may not choose the LLM of the chat."""

    class Base(DeclarativeBase):
        pass

    class Chat(ChatMixin, Base):
        __tablename__ = "chats"
        user_id: Mapped[str]
        llm: Mapped[str | None]
        row: Mapped[str | None]

    mixins = (RunMixin, MessageMixin, ChunkMixin, ToolCallMixin, RequestMixin)
    others = [type(it.__name__, (it, Base), {"__tablename__": it.__name__}) for it in mixins]
    assert len(others) == len(Base.metadata.tables) - 1
    db = Database(f"sqlite:///{tmp_path / 'chats.db'}", models=Base)
    for name in ("llm", "row"):
        with pytest.raises(TypeError, match="editable="):
            chat_routes(db, Script(), owner=lambda _: {"user_id": "u1"}, editable=[name])


def test_what_cannot_be_changed_is_not_named(tmp_path: Path) -> None:
    db = Database(f"sqlite:///{tmp_path / 'chats.db'}")
    owner = lambda _: {"user_id": "u1"}  # noqa: E731
    for editable in (["titel"], ["id"], ["updated_at"], "title"):
        with pytest.raises(TypeError, match=r"editable=.*title"):
            chat_routes(db, Script(), owner=owner, editable=editable)
