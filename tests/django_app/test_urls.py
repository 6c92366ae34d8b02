"""The routes of chats in a URLconf: the same under WSGI and ASGI."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from io import StringIO
from typing import Any
from uuid import uuid4

import pytest

from . import project


class Page:
    """A page of a signed-in user, which speaks to either kind of server."""

    def __init__(self, kind: str, user: Any = None, **options: Any) -> None:
        from django.test import AsyncClient, Client

        self.is_async = kind == "asgi"
        self.client = (AsyncClient if self.is_async else Client)(**options)
        if user is not None:
            self.client.force_login(user)

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        call = getattr(self.client, method)
        given = {"headers": headers} if headers else {}
        if body is not None:
            given |= {"data": json.dumps(body), "content_type": "application/json"}
        if self.is_async:
            return asyncio.run(self._whole(call(path, **given)))
        response = call(path, **given)
        response.text_of = (
            b"".join(response.streaming_content) if response.streaming else response.content
        ).decode()
        return response

    async def _whole(self, work: Any) -> Any:
        response = await work
        if response.streaming:
            assert response.is_async, "a stream that the server can send as it comes"
            response.text_of = b"".join([it async for it in response.streaming_content]).decode()
        else:
            response.text_of = response.content.decode()
        return response

    def ask(self, chat: str, text: str) -> Any:
        question = {"id": uuid4().hex, "role": "user", "parts": [{"type": "text", "text": text}]}
        return self.send("post", "/chats/", {"id": chat, "messages": [question]})


def seen(request: Any, scope: Any) -> dict[str, object]:
    """Options that use Django's models."""
    from django.contrib.auth.models import User

    name = User.objects.get(pk=scope["user_id"]).username
    return {"settings": {"metadata": {"user": name}}} if request.user.username == name else {}


@pytest.fixture(params=["wsgi", "asgi"])
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def routed() -> Iterator[Any]:
    """Mounts the routes below /chats/."""
    from django.test import override_settings
    from django.urls import clear_url_caches, include, path, set_urlconf

    def mount(*args: Any, **options: Any) -> None:
        from chatrecord.django.urls import chat_urls

        clear_url_caches()
        set_urlconf(None)
        project.urls([path("chats/", include(chat_urls(*args, **options)))])
        clear_url_caches()

    with override_settings(ROOT_URLCONF="chatrecord_test_urls"):
        yield mount


def test_an_owner_may_be_named_by_the_user_of_the_request(
    small_site: str, kind: str, user: Any, routed: Any
) -> None:
    """Which Django reads when it is first looked at, and not in an event loop."""
    routed("test", owner=lambda request: {"user": request.user})
    made = Page(kind, user).send("post", "/chats/new", {"title": "Travel"})
    assert made.status_code == 201


def test_a_page_asks_reads_and_deletes(site: str, kind: str, user: Any, routed: Any) -> None:
    routed("test", options=seen)
    page = Page(kind, user)

    made = page.send("post", "/chats/new", {"title": "Travel"})
    assert made.status_code == 201
    chat = json.loads(made.text_of)["id"]
    answer = page.ask(chat, "May I fly?")
    assert answer["content-type"].startswith("text/event-stream")
    assert "success (no tool calls)" in answer.text_of
    assert answer.text_of.endswith("data: [DONE]\n\n")

    read = json.loads(page.send("get", f"/chats/{chat}").text_of)
    assert [message["role"] for message in read["messages"]] == ["user", "assistant"]
    assert [it["id"] for it in json.loads(page.send("get", "/chats/").text_of)["chats"]] == [chat]
    assert page.send("get", f"/chats//{chat}/stream").status_code == 204
    renamed = page.send("patch", f"/chats/{chat}", {"title": "By train"})
    assert json.loads(renamed.text_of)["title"] == "By train"
    assert page.send("delete", f"/chats/{chat}").status_code == 204
    assert page.send("get", f"/chats/{chat}").status_code == 404


def test_each_user_sees_their_own(small_site: str, kind: str, user: Any, routed: Any) -> None:
    from django.contrib.auth.models import User

    routed("test")
    other = User.objects.create_user(f"user-{uuid4().hex[:12]}")
    chat = json.loads(Page(kind, user).send("post", "/chats/new", {}).text_of)["id"]

    theirs = Page(kind, other)
    assert json.loads(theirs.send("get", "/chats/").text_of)["chats"] == []
    for answer in (theirs.send("get", f"/chats/{chat}"), theirs.ask(chat, "Hello?")):
        assert answer.status_code == 404


def test_who_is_not_signed_in_gets_a_401(small_site: str, kind: str, routed: Any) -> None:
    routed("test")
    page = Page(kind)
    assert page.send("get", "/chats/").status_code == 401
    assert page.ask(str(uuid4()), "Hello?").status_code == 401


def test_a_page_without_the_token_is_refused(
    small_site: str, kind: str, user: Any, routed: Any
) -> None:
    routed("test")
    page = Page(kind, user, enforce_csrf_checks=True)
    assert page.send("post", "/chats/new", {}).status_code == 403
    assert page.send("get", "/chats/").status_code == 200

    routed("test", csrf=False)
    assert page.send("post", "/chats/new", {}).status_code == 201


def test_ag_ui_clients_get_their_own_stream(
    small_site: str, kind: str, user: Any, routed: Any
) -> None:
    routed("test", create_on_first_message=True)
    page = Page(kind, user)
    thread = uuid4().hex
    body = {
        "threadId": thread,
        "runId": uuid4().hex,
        "messages": [{"id": "q-1", "role": "user", "content": "Hello?"}],
        "state": {}, "tools": [], "context": [], "forwardedProps": {},
    }  # fmt: skip
    answer = page.send("post", "/chats/", body)
    assert '"type":"RUN_STARTED"' in answer.text_of
    assert '"type":"RUN_FINISHED"' in answer.text_of
    shown = page.send("get", f"/chats/{thread}", **{"x-chat-protocol": "ag-ui"})
    assert [it["role"] for it in json.loads(shown.text_of)["messages"]] == ["user", "assistant"]


def test_a_method_that_a_route_has_not_is_refused(
    small_site: str, kind: str, user: Any, routed: Any
) -> None:
    routed("test")
    answer = Page(kind, user).send("put", "/chats/new", {})
    assert answer.status_code == 405


def test_a_body_that_is_too_large_is_refused(
    small_site: str, kind: str, user: Any, routed: Any
) -> None:
    routed("test", max_body=1_000)
    answer = Page(kind, user).send("post", "/chats/new", {"title": "x" * 1_001})
    assert answer.status_code == 413


def test_a_large_body_passes_where_djangos_own_limit_is_smaller(
    small_site: str, kind: str, user: Any, routed: Any
) -> None:
    from django.test import override_settings

    routed("test")
    page = Page(kind, user)
    chat = json.loads(page.send("post", "/chats/new", {}).text_of)["id"]
    with override_settings(DATA_UPLOAD_MAX_MEMORY_SIZE=1_000):
        answer = page.ask(chat, "word " * 1_000)
    assert "success (no tool calls)" in answer.text_of


def test_what_an_owner_raises_is_no_text_for_a_client(
    small_site: str, kind: str, user: Any, routed: Any
) -> None:
    def owner(request: Any) -> Any:
        msg = "secret"
        raise RuntimeError(msg)

    routed("test", owner=owner)
    answer = Page(kind, user).send("get", "/chats/")
    assert answer.status_code == 500
    assert "secret" not in answer.text_of


def test_a_reader_that_leaves_does_not_stop_the_answer(
    small_site: str, user: Any, routed: Any
) -> None:
    from chatrecord.django import db, load_chat

    routed("test")
    page = Page("wsgi", user)
    chat = json.loads(page.send("post", "/chats/new", {}).text_of)["id"]
    question = {"id": "q", "role": "user", "parts": [{"type": "text", "text": "Hello?"}]}
    response = page.client.post(
        "/chats/",
        data=json.dumps({"id": chat, "messages": [question]}),
        content_type="application/json",
    )
    next(iter(response.streaming_content))
    response.close()

    loaded = load_chat(db, "test", chat, user_id=user.pk)
    for _ in loaded.follow() if loaded.active_run() else ():
        pass
    assert [message.status for message in loaded.messages()] == ["complete", "complete"]


def test_a_page_searches_the_chats_of_its_user(
    small_site: str, kind: str, user: Any, routed: Any
) -> None:
    from django.contrib.auth.models import User
    from django.core.management import call_command

    from chatrecord.django import db, search_messages

    routed("test")
    other = User.objects.create_user(f"user-{uuid4().hex[:12]}")
    page = Page(kind, user)
    title = f"Quokka {uuid4().hex}"
    chat = json.loads(page.send("post", "/chats/new", {"title": title}).text_of)["id"]
    call_command("chatrecord_search", stdout=StringIO())

    (hit,) = json.loads(page.send("get", f"/chats/search?q={title[:20]}*").text_of)["hits"]
    assert (hit["chatId"], hit["role"]) == (chat, "title")
    theirs = Page(kind, other).send("get", "/chats/search?q=quokka")
    assert json.loads(theirs.text_of) == {"hits": [], "next": None}
    assert [str(it.chat_id) for it in search_messages(db, title, user=user)] == [chat]
    assert search_messages(db, title, user=other) == []
    call_command("chatrecord_search", drop=True, stdout=StringIO())
