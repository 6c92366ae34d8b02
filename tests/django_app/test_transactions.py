"""Chats inside of Django's transactions."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from chatrecord import Attachment
from chatrecord.errors import (
    ChatNotFound,
    ConfigurationError,
    DatabaseFailed,
    SchemaError,
    SentBefore,
)
from chatrecord.sqlalchemy import Keys


def somebody() -> Any:
    from django.contrib.auth.models import User

    return User.objects.create_user(f"user-{uuid4().hex[:12]}")


def test_a_chat_is_created_for_a_user_of_the_same_transaction(site: str) -> None:
    from django.db import transaction

    from chatrecord.django import create_chat, db, load_chat

    with transaction.atomic(using=site):
        user = somebody()
        chat = create_chat(db, "test", user=user, title="Snow \x00 ❄", metadata={"half": 0.5})
        assert chat.record.columns == {"user_id": user.pk}
    assert chat.ask("Hello").text == "success (no tool calls)"

    loaded = load_chat(db, "test", chat.id, user_id=user.pk)
    assert loaded.record.title == "Snow \x00 ❄"
    assert loaded.record.metadata == {"half": 0.5}
    assert loaded.record.created_at == chat.record.created_at


def test_a_rollback_takes_the_chat_along(site: str) -> None:
    from django.db import transaction

    from chatrecord.django import create_chat, db, load_chat

    with pytest.raises(ZeroDivisionError), transaction.atomic(using=site):
        chat = create_chat(db, "test", user=somebody())
        raise ZeroDivisionError
    with pytest.raises(ChatNotFound):
        load_chat(db, "test", chat.id)
    with pytest.raises(ConfigurationError, match="on_commit"):
        chat.ask("Hello")


def test_a_submitted_question_is_part_of_the_transaction(site: str) -> None:
    from django.db import transaction

    from chatrecord.django import create_chat, db, list_runs

    with transaction.atomic(using=site):
        user = somebody()
        chat = create_chat(db, "test", user=user)
        first = chat.submit("Hello")
        second = chat.submit("And?", idempotency_key="k")
        assert chat.submit("And?", idempotency_key="k") == second > first
        with pytest.raises(SentBefore):
            chat.submit("Or?", idempotency_key="k")
        assert list_runs(db, user=user) == []

    queued = list_runs(db, status="queued", user=user)
    assert [(run.id, run.question_text) for run in queued] == [(second, "And?"), (first, "Hello")]
    assert chat.work_on(first).text == "success (no tool calls)"
    assert chat.work_on(second).text == "success (no tool calls)"
    assert [message.text for message in chat.messages()][::2] == ["Hello", "And?"]


def test_a_rollback_takes_the_submitted_questions_along(site: str) -> None:
    from django.db import transaction

    from chatrecord.django import create_chat, db, load_chat

    chat = create_chat(db, "test", user=somebody())
    chat.ask("Hello")
    question, _ = chat.messages()
    with pytest.raises(ZeroDivisionError), transaction.atomic(using=site):
        for each in (chat, load_chat(db, "test", chat.id)):
            each.submit("And?")
        chat.submit_edit(question.id, "Hi")
        chat.submit_regenerate()
        raise ZeroDivisionError
    assert [run.status for run in chat.runs()] == ["complete"]

    with transaction.atomic(using=site):
        edited = chat.submit_edit(question.id, "Hi")
    chat.work_on(edited)
    assert next(it.text for it in chat.messages() if it.status == "complete") == "Hi"


def test_a_question_with_files_is_submitted_after_the_commit(site: str) -> None:
    from django.db import transaction

    from chatrecord.django import create_chat, db

    chat = create_chat(db, "test", user=somebody())
    files = [Attachment(data=b"a rule", media_type="text/plain")]
    with transaction.atomic(using=site):
        with pytest.raises(ConfigurationError, match="on_commit"):
            chat.submit("Hello", attachments=files)
        transaction.on_commit(lambda: chat.submit("Hello", attachments=files), using=site)
    (run,) = chat.runs(status="queued")
    assert run.question_text == "Hello"
    with pytest.raises(ChatNotFound), transaction.atomic(using=site):
        delete_at_once(chat.id)
        chat.submit("Still there?")


def delete_at_once(chat_id: Any) -> None:
    from chatrecord.django.models import Chat

    Chat.objects.filter(pk=chat_id).delete()


def test_a_question_before_the_commit_is_told_what_to_do(site: str) -> None:
    from django.db import transaction

    from chatrecord.django import create_chat, db

    answers: list[str] = []
    with transaction.atomic(using=site):
        chat = create_chat(db, "test", user=somebody())
        with pytest.raises(ConfigurationError, match="on_commit"):
            chat.ask("Hello")
        with pytest.raises(ConfigurationError, match="on_commit"), chat.stream("Hello") as stream:
            next(stream)
        transaction.on_commit(lambda: answers.append(chat.ask("Hello").text), using=site)
        assert answers == []
    assert answers == ["success (no tool calls)"]


def test_who_waits_for_a_lock_of_its_own_is_told_so(site: str) -> None:
    """The row is locked by this thread, which waits for the answer."""
    from datetime import timedelta

    from django.db import transaction
    from django.test import override_settings

    from chatrecord.django import close_database, create_chat, db
    from chatrecord.django.models import Chat

    close_database()
    with override_settings(CHATRECORD={"OPTIONS": {"patience": timedelta(seconds=1)}}):
        chat = create_chat(db, "test", user=somebody())
        with transaction.atomic(using=site):
            Chat.objects.filter(pk=chat.id).update(user=None)
            with pytest.raises(DatabaseFailed, match=r"transaction\.atomic"):
                chat.ask("Hello")
        assert chat.ask("Hello").text == "success (no tool calls)"
    close_database()


@pytest.mark.parametrize("keys", [None, Keys(Keys.new())], ids=["plain", "encrypted"])
def test_what_django_reads_is_what_the_library_wrote(site: str, keys: Keys | None) -> None:
    from django.test import override_settings

    from chatrecord.django import close_database, create_chat, db
    from chatrecord.django.models import Chat, Message, Request

    user = somebody()
    close_database()
    with override_settings(CHATRECORD={"OPTIONS": {"encryption": keys}}):
        chat = create_chat(db, "test", user=user, title="\x00 ❄", metadata={"a": [1, None, "x"]})
        chat.ask("A \x00 question")
        row = Chat.objects.get(pk=chat.id)
        question, answer = Message.objects.filter(chat=row).order_by("seq")
        request = Request.objects.get(chat=row)
        assert (row.title, row.metadata, row.user) == ("\x00 ❄", {"a": [1, None, "x"]}, user)
        assert question.text == "A \x00 question"
        assert question.content == chat.messages()[0].content
        assert answer.created_at == chat.messages()[1].created_at
        assert request.latency_ms == chat.requests()[0].latency_ms
        assert request.cost == chat.requests()[0].cost
        assert request.streamed is chat.requests()[0].streamed
    close_database()


def test_deleting_a_user_deletes_their_chats(site: str, tmp_path: Any) -> None:
    """The database deletes the rows; what it does not know of goes with them."""
    from datetime import UTC, datetime

    from django.db import connections
    from django.test import override_settings
    from django.test.utils import CaptureQueriesContext

    from chatrecord.attachments import FolderStore
    from chatrecord.django import close_database, create_chat, db
    from chatrecord.django.models import Chat, Chunk, Event, Message, UsageDay

    close_database()
    options = {"attachments": FolderStore(tmp_path)}
    with override_settings(CHATRECORD={"OPTIONS": options}):
        user = somebody()
        chat = create_chat(db, "test", user=user)
        chat.ask("Hello", attachments=[Attachment(data=b"of the user", media_type="text/plain")])
        answer = chat.messages()[1]
        Chunk.objects.create(message_id=answer.id, seq=0, payload="left")
        today = datetime.now(UTC)
        for place in (0, 1):  # the day is added up: its sums, too, are of the user
            UsageDay.objects.update_or_create(
                pk=(today.date(), place),
                defaults={"counted_at": today, "requests": place, "priced": 0, "reported": 0},
            )
        assert [it for it in tmp_path.rglob("*") if it.is_file()]
        with CaptureQueriesContext(connections[site]) as queries:
            user.delete()
        assert not [it for it in queries if 'DELETE FROM "llm_messages"' in it["sql"]]
        assert not Chat.objects.filter(pk=chat.id).exists()
        assert not Message.objects.filter(chat_id=chat.id).exists()
        assert not Chunk.objects.filter(message_id=answer.id).exists()
        assert not UsageDay.objects.filter(day=today.date()).exists()
        told = Event.objects.filter(chat_id=chat.id).values_list("type", flat=True)
        assert list(told) == ["chat.deleted"]
        assert not [it for it in tmp_path.rglob("*") if it.is_file()]
    close_database()


def test_missing_tables_are_told_with_djangos_command(tmp_path: Any, small_site: str) -> None:
    from django.db import connections

    from chatrecord.django import close_database, create_chat, db

    settings = connections[small_site].settings_dict
    name, settings["NAME"] = settings["NAME"], str(tmp_path / "empty.db")
    try:
        with pytest.raises(SchemaError, match=r"manage\.py migrate"):
            create_chat(db, "test")
    finally:
        settings["NAME"] = name
        close_database()


def test_a_project_without_time_zones_keeps_the_moments(site: str) -> None:
    from django.db import connections, transaction
    from django.test import override_settings

    from chatrecord.django import create_chat, db, load_chat
    from chatrecord.django.models import Chat

    connections[site].close()
    with override_settings(USE_TZ=False, TIME_ZONE="Asia/Tokyo"):
        with transaction.atomic(using=site):
            chat = create_chat(db, "test", user=somebody())
        assert load_chat(db, "test", chat.id).record.created_at == chat.record.created_at
        assert Chat.objects.get(pk=chat.id).created_at == chat.record.created_at
        moment = chat.record.created_at
        assert Chat.objects.filter(created_at=moment, pk=chat.id).exists()
    connections[site].close()
