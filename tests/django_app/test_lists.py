"""What is listed of all chats: feedback, runs, and what was deleted for a time."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4


def somebody() -> Any:
    from django.contrib.auth.models import User

    return User.objects.create_user(f"user-{uuid4().hex[:12]}")


def test_feedback_and_runs_of_a_user_are_listed(site: str) -> None:
    from chatrecord import django as chats

    user, db = somebody(), chats.db
    chat = chats.create_chat(db, "test", user=user)
    reply = chat.ask("Hello")
    chat.give_feedback(reply.message_id, -1, comment="No.")
    run_id = chat.submit("And then?")

    (given,) = chats.list_feedback(db, user=user)
    assert (given.chat_id, given.comment) == (chat.id, "No.")
    (row,) = chats.feedback_report(db, by=["user_id"], user=user)
    assert (row.by, row.negative) == ({"user_id": user.pk}, 1)
    (run,) = chats.list_runs(db, status="queued", user=user)
    assert run.id == run_id
    assert chats.count_runs(db, user=user) == 2

    chats.delete_chat(db, chat.id, soft=True, user=user)
    assert [it.id for it in chats.list_deleted_chats(db, user=user)] == [chat.id]
    assert chats.list_feedback(db, user=user) == []


def test_they_are_awaited_in_views_that_are_asynchronous(site: str) -> None:
    from chatrecord import django as chats

    user, db = somebody(), chats.db
    chat = chats.create_chat(db, "test", user=user)
    chat.give_feedback(chat.ask("Hello").message_id, 1)

    async def look() -> list[Any]:
        return [
            len(await chats.alist_feedback(db, user_id=user.pk)),
            [it.positive for it in await chats.afeedback_report(db, user_id=user.pk)],
            len(await chats.alist_runs(db, user_id=user.pk)),
            await chats.acount_runs(db, user_id=user.pk),
            await chats.alist_deleted_chats(db, user_id=user.pk),
        ]

    assert asyncio.run(look()) == [1, [1], 1, 1, []]
