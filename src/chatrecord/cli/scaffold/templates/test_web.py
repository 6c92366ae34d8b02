"""The page and its answers, with an LLM whose answers are written here."""

from __future__ import annotations

from pathlib import Path

from chatrecord.testing import Script, say
from starlette.testclient import TestClient

from database import open_database
from main import create_app


def test_an_answer_is_stored(tmp_path: Path) -> None:
    db = open_database(f"sqlite:///{tmp_path / 'test.db'}")
    app = create_app(db, Script([say("Hello, ", "you.")]))
    with TestClient(app) as browser:
        assert browser.get("/").status_code == 200
        chat = browser.post("/api/chats/new", json={"title": "Greetings"}).json()
        browser.post("/api/chats", json={"id": chat["id"], "text": "Hello?"})
        stored = browser.get(f"/api/chats/{chat['id']}").json()

    parts = [part for message in stored["messages"] for part in message["parts"]]
    assert [part["text"] for part in parts if part["type"] == "text"] == ["Hello?", "Hello, you."]


def test_nobody_sees_the_chats_of_another(tmp_path: Path) -> None:
    db = open_database(f"sqlite:///{tmp_path / 'test.db'}")
    with TestClient(create_app(db, "test")) as browser:
        assert browser.get("/api/chats").status_code == 401
        browser.get("/")
        chat = browser.post("/api/chats/new", json={}).json()
        browser.cookies.clear()
        browser.get("/")
        assert browser.get(f"/api/chats/{chat['id']}").status_code == 404
