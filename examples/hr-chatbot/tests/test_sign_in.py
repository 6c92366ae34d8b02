"""Who is signed in, and what one sees of another: nothing."""

import pytest
from hr.sign_in import COOKIE
from hr.tables import SignIn, User
from sqlalchemy import select

from chatrecord.testing import say
from conftest import ask, new_chat

EVERY_ROUTE = [
    ("GET", "/api/me"),
    ("GET", "/api/vacation"),
    ("GET", "/api/documents"),
    ("GET", "/api/documents/travel.md"),
    ("POST", "/api/documents"),
    ("GET", "/api/passages/1"),
    ("GET", "/api/chats"),
    ("POST", "/api/chats"),
    ("POST", "/api/chats/new"),
]
ROUTES_OF_A_CHAT = [
    ("GET", ""),
    ("PATCH", ""),
    ("DELETE", ""),
    ("GET", "/stream"),
    ("POST", "/stop"),
    ("POST", "/resume"),
    ("POST", "/approve"),
    ("POST", "/deny"),
]


async def test_the_right_password_signs_in_and_signing_out_ends_it(ada, visitor):
    assert (await ada.get("/api/me")).json()["email"] == "ada@example.com"
    visitor.cookies = ada.cookies
    assert (await ada.post("/api/sign-out")).status_code == 204
    assert (await visitor.get("/api/me")).status_code == 401


@pytest.mark.parametrize("email", ["ada@example.com", "nobody@example.com", "", "\0", "' OR 1=1"])
async def test_another_password_does_not_sign_in(visitor, email):
    told = {"email": email, "password": "ben-demo"}
    response = await visitor.post("/api/sign-in", json=told)
    assert response.status_code == 401
    assert response.json()["error"]["code"] == "unauthorized"
    assert not response.cookies


async def test_the_cookie_is_kept_from_scripts_and_its_token_from_the_database(hr, visitor):
    told = {"email": " ADA@example.com ", "password": "ada-demo"}
    response = await visitor.post("/api/sign-in", json=told)
    cookie = response.headers["set-cookie"].lower()
    assert "httponly" in cookie and "samesite=strict" in cookie
    async with hr.sessions() as session:
        hashes = list(await session.scalars(select(SignIn.token_hash)))
        stored = list(await session.scalars(select(User.password)))
    assert visitor.cookies[COOKIE] not in hashes
    assert not [it for it in stored if "demo" in it]


async def test_a_sign_in_expires(hr, ada):
    from datetime import UTC, datetime, timedelta

    async with hr.sessions.begin() as session:
        for row in await session.scalars(select(SignIn)):
            row.expires_at = datetime.now(UTC) - timedelta(seconds=1)
    assert (await ada.get("/api/me")).status_code == 401


@pytest.mark.parametrize(("method", "path"), EVERY_ROUTE)
async def test_nothing_is_shown_without_signing_in(visitor, method, path):
    visitor.cookies.set(COOKIE, "made-up")
    response = await visitor.request(method, path)
    assert response.status_code == 401, response.text


async def test_another_persons_chat_is_not_found_on_any_route(ada, ben, llm):
    llm.then([say("Secret of Ada.")])
    chat = await new_chat(ada)
    await ask(ada, chat, "What is my secret?")
    for method, rest in ROUTES_OF_A_CHAT:
        body = {"title": "mine", "callId": "1"} if method in {"PATCH", "POST"} else None
        response = await ben.request(method, f"/api/chats/{chat}{rest}", json=body)
        assert response.status_code == 404, (method, rest, response.text)
        assert "Secret" not in response.text
    response = await ben.post("/api/chats", json={"id": chat, "text": "Go on"})
    assert response.status_code == 404
    assert chat not in (await ben.get("/api/chats")).text
    assert "Secret of Ada." in (await ada.get(f"/api/chats/{chat}")).text


@pytest.mark.parametrize("path", ["", "assets/page.js", "api/usage", "api/chats", "api/requests"])
async def test_the_administrators_page_is_for_the_administrator_only(visitor, ada, admin, path):
    for other in (visitor, ada):
        refused = await other.get(f"/administration/{path}")
        assert (refused.status_code, refused.json()["error"]["code"]) == (404, "not_found")
    assert (await admin.get(f"/administration/{path}")).status_code == 200


async def test_without_a_demo_there_is_nobody_with_a_known_password(tmp_path, embedder):
    from hr.database import open_database, sessions_of
    from hr.settings import Settings

    settings = Settings(database_url=f"sqlite:///{tmp_path / 'real.db'}", is_demo=False)
    async with open_database(settings, print) as db, sessions_of(db)() as session:
        assert list(await session.scalars(select(User))) == []


async def test_a_demo_tells_its_passwords(visitor):
    accounts = (await visitor.get("/api/demo")).json()["accounts"]
    assert {it["role"] for it in accounts} == {"employee", "administrator"}
