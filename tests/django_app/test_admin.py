"""Chats in Django's admin, and the commands of manage.py."""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO
from typing import Any
from uuid import uuid4

import pytest
from pydantic_ai.exceptions import ModelHTTPError
from pydantic_ai.models.function import FunctionModel

from chatrecord.errors import ProviderError

from . import project


def holidays(year: int = 2026) -> dict[str, int]:
    """The days of holiday in a year."""
    return {"year": year, "days": 12}


async def refusing(*_: object) -> Any:
    raise ModelHTTPError(418, "teapot", {"error": {"message": "I brew <b>no</b> coffee"}})
    yield ""


@pytest.fixture
def admin_page() -> Iterator[Any]:
    from django.contrib import admin
    from django.contrib.auth.models import User
    from django.test import Client
    from django.urls import clear_url_caches, path, set_urlconf

    set_urlconf(None)
    project.urls([path("admin/", admin.site.urls)])
    clear_url_caches()
    client = Client()
    client.force_login(User.objects.create_superuser(f"boss-{uuid4().hex[:12]}"))

    def page(path: str, **query: str) -> str:
        response = client.get(f"/admin/chatrecord/chat/{path}", query)
        assert response.status_code == 200
        return response.content.decode()

    page.client = client
    yield page


def chats_of(user: Any) -> tuple[Any, Any]:
    """One that went well, with a tool, and one whose provider fails."""
    from chatrecord.django import create_chat, db

    title = f"Leave <i>no-{uuid4().hex}</i>"
    good = create_chat(db, "test", user=user, title=title, tools=[holidays])
    good.ask("How many days of <b>leave</b> have I?")
    model = FunctionModel(stream_function=refusing, model_name="teapot")
    bad = create_chat(db, model, user=user, retries=0)
    with pytest.raises(ProviderError):
        bad.ask("Coffee?")
    return good, bad


def test_chats_are_listed_searched_and_filtered(site: str, user: Any, admin_page: Any) -> None:
    good, bad = chats_of(user)

    listed = admin_page("", q=user.username)
    assert str(good.id) in listed
    assert str(bad.id) in listed
    assert "&lt;i&gt;" in listed
    assert "teapot" in listed

    by_title = admin_page("", q=good.record.title.partition("<i>")[2][:35])
    assert (str(good.id) in by_title, str(bad.id) in by_title) == (True, False)
    by_id = admin_page("", q=str(bad.id))
    assert (str(good.id) in by_id, str(bad.id) in by_id) == (False, True)
    for state in ("request", "failed"):
        failed = admin_page("", q=user.username, state=state)
        assert (str(good.id) in failed, str(bad.id) in failed) == (False, True)
    for state in ("active", "parked"):
        assert "0 chats" in admin_page("", q=user.username, state=state)


def test_a_chat_shows_its_rows(site: str, user: Any, admin_page: Any) -> None:
    from django.utils.html import escape

    good, bad = chats_of(user)

    shown = admin_page(f"{good.id}/change/")
    assert "How many days of &lt;b&gt;leave&lt;/b&gt; have I?" in shown
    assert "Calls holidays" in shown
    assert "&quot;days&quot;: 12" in shown
    assert escape(good.messages()[-1].text) in shown
    failed = admin_page(f"{bad.id}/change/")
    assert "HTTP 418: " in failed
    assert "<b>no</b>" not in failed


def test_nothing_can_be_changed(small_site: str, user: Any, admin_page: Any) -> None:
    good, _ = chats_of(user)

    path = f"/admin/chatrecord/chat/{good.id}/change/"
    assert admin_page.client.post(path, {"title": "Another"}).status_code == 403
    assert admin_page.client.get("/admin/chatrecord/chat/add/").status_code == 403
    assert 'name="title"' not in admin_page(f"{good.id}/change/")


def test_a_chat_is_deleted_with_its_rows(site: str, user: Any, admin_page: Any) -> None:
    from chatrecord.django.models import Chat, Message

    good, bad = chats_of(user)
    path = f"/admin/chatrecord/chat/{good.id}/delete/"
    assert admin_page.client.post(path, {"post": "yes"}).status_code == 302
    chosen = {"action": "delete_selected", "_selected_action": [str(bad.id)], "post": "yes"}
    assert admin_page.client.post("/admin/chatrecord/chat/", chosen).status_code == 302
    assert not Chat.objects.filter(user=user).exists()
    assert not Message.objects.filter(chat_id__in=[good.id, bad.id]).exists()


def test_the_usage_page_adds_up(site: str, user: Any, admin_page: Any) -> None:
    chats_of(user)

    page = admin_page("usage/", by="user_id", times="on")
    assert user.username in page
    assert "33.3%" in page, "one of three requests failed"
    for by in ("day", "month", "model", "agent", "error_type", "nonsense"):
        assert "All" in admin_page("usage/", by=by, days="7")


def test_only_who_may_see_chats_sees_the_usage(small_site: str, user: Any, admin_page: Any) -> None:
    user.is_staff = True
    user.save()
    admin_page.client.force_login(user)
    for path in ("usage/", ""):
        assert admin_page.client.get(f"/admin/chatrecord/chat/{path}").status_code == 403


def command(*arguments: str) -> str:
    from django.core.management import call_command

    said = StringIO()
    call_command(*arguments, stdout=said)
    return said.getvalue()


def test_the_commands_report_repair_and_purge(site: str, user: Any) -> None:
    from datetime import UTC, datetime, timedelta

    from chatrecord.django.models import Chat

    good, bad = chats_of(user)
    assert "left open" in command("chatrecord_repair")
    told = command("chatrecord_usage", "--by", "user_id", "--since", "1h")
    assert [line for line in told.splitlines() if line.startswith(f"{user.pk}\t3\t1\t")]

    long_ago = datetime.now(UTC) - timedelta(days=200)
    Chat.objects.filter(pk=bad.id).update(updated_at=long_ago)
    assert "1 chat deleted" in command("chatrecord_purge", "--older-than", "90d", "--noinput")
    assert list(Chat.objects.filter(user=user).values_list("pk", flat=True)) == [good.id]


def test_a_report_by_nothing_that_is_there_is_refused(small_site: str) -> None:
    from django.core.management import CommandError

    with pytest.raises(CommandError, match="nonsense"):
        command("chatrecord_usage", "--by", "nonsense")
    with pytest.raises(CommandError, match="90d"):
        command("chatrecord_purge", "--older-than", "long", "--noinput")
