"""The page and its answers, with an LLM whose answers are written here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from chatrecord.sqlalchemy import Database
from chatrecord.sqlalchemy.sync import wait
from chatrecord.testing import Script, say

from database import open_database
from main import create_app


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    db = open_database(f"sqlite:///{tmp_path / 'test.db'}")
    yield db
    wait(db.close())


def test_an_answer_is_stored(db: Database) -> None:
    browser = create_app(db, Script([say("Hello, ", "you.")])).test_client()
    assert browser.get("/").status_code == 200
    chat = browser.post("/api/chats/new", json={"title": "Greetings"}).json
    answer = browser.post("/api/chats", json={"id": chat["id"], "text": "Hello?"}).text
    assert answer.endswith('event: end\ndata: {"status": "complete"}\n\n')

    stored = browser.get(f"/api/chats/{chat['id']}").json
    texts = [part["text"] for message in stored["messages"] for part in message["parts"]]
    assert texts == ["Hello?", "Hello, you."]


def test_nobody_sees_the_chats_of_another(db: Database) -> None:
    app = create_app(db, "test")
    ann, bob = app.test_client(), app.test_client()
    assert ann.get("/api/chats").status_code == 401
    ann.get("/"), bob.get("/")
    chat = ann.post("/api/chats/new", json={}).json
    assert bob.get(f"/api/chats/{chat['id']}").status_code == 404
