"""The dashboard in a URLconf: the same under WSGI and ASGI."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from . import project
from .test_urls import Page, kind

__all__ = ["kind"]


@pytest.fixture
def mount() -> Iterator[Any]:
    from django.test import override_settings
    from django.urls import clear_url_caches, include, path, set_urlconf

    def mounted(**options: Any) -> None:
        from chatrecord.django.dashboard import dashboard_urls

        set_urlconf(None)
        project.urls([path("tools/chats-admin/", include(dashboard_urls(**options)))])
        clear_url_caches()

    with override_settings(ROOT_URLCONF="chatrecord_test_urls"):
        yield mounted


@pytest.fixture
def staff(small_site: str) -> Any:
    from uuid import uuid4

    from django.contrib.auth.models import User

    return User.objects.create_superuser(f"staff-{uuid4().hex[:12]}", password="secret")


def test_staff_see_every_chat_with_the_names_of_users(
    small_site: str, kind: str, user: Any, staff: Any, mount: Any
) -> None:
    from chatrecord.django import create_chat, db

    chat = create_chat(db, "test", user=user, title="Travel")
    reply = chat.ask("Hello")
    mount()
    page = Page(kind, staff)

    def got(path: str = "") -> Any:
        return page.send("get", f"/tools/chats-admin/{path}")

    index = got()
    assert 'src="assets/page.js"' in index.text_of
    assert index.headers["content-security-policy"].startswith("default-src 'self'")
    assert got("assets/page.js").headers["content-type"].startswith("text/javascript")
    (shown,) = got("api/chats?search=travel&column.user_id=" + str(user.pk)).json()["chats"]
    assert shown["id"] == str(chat.id)
    named = got("api/usage?by=user_id").json()["names"]
    assert named[str(user.pk)] == user.username
    trace = got(f"api/chats/{chat.id}").json()
    assert trace["names"]["user_id"] == {str(user.pk): user.username}
    assert '"title":"Travel"' in got(f"api/chats/{chat.id}/export").text_of.replace(": ", ":")
    assert "event: end" in got(f"api/chats/{chat.id}/live/{reply.run_id}").text_of
    assert page.send("post", "/tools/chats-admin/api/chats", {}).status_code in (403, 405)


def test_others_see_nothing_or_their_scope(
    small_site: str, kind: str, user: Any, staff: Any, mount: Any
) -> None:
    from chatrecord.django import create_chat, db

    mine = create_chat(db, "test", user=user)
    create_chat(db, "test", user=staff)
    mount()
    for who in (None, user):
        assert Page(kind, who).send("get", "/tools/chats-admin/api/chats").status_code == 404

    mount(allowed=lambda request: {"user": request.user})
    found = Page(kind, user).send("get", "/tools/chats-admin/api/chats").json()["chats"]
    assert [chat["id"] for chat in found] == [str(mine.id)]
