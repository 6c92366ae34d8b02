"""Feedback of all chats, with the columns of your chats as keywords."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import overload

from chatrecord.chats import feedback
from chatrecord.feedback import Feedback, FeedbackRow, Rating

from .chats import check
from .database import AnyDatabase, Database, Metadata, OwnChat, ReadyMade


@overload
async def list_feedback(
    db: Database[ReadyMade, Metadata],
    *,
    rating: Rating | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    limit: int = 20,
    before: Feedback | None = None,
    user_id: str | None = ...,
) -> list[Feedback]: ...


@overload
async def list_feedback(
    db: Database[OwnChat, Metadata],
    *,
    rating: Rating | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    limit: int = 20,
    before: Feedback | None = None,
    **scope: object,
) -> list[Feedback]: ...


async def list_feedback(
    db: AnyDatabase,
    *,
    rating: Rating | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    limit: int = 20,
    before: Feedback | None = None,
    **scope: object,
) -> list[Feedback]:
    """Return a page of what people think of answers, the newest first.

        for each in await list_feedback(db, rating="negative", since=week):
            print(each.chat_id, each.message_id, each.value, each.comment)

    `rating` is `"positive"` (above zero), `"negative"` (below) or `None` for all. `since` is
    included, `until` is not. `before` is the last one of the page before. Columns of your chats as
    keywords restrict it. Raises `TypeError` and `ValueError` for values that cannot be, and
    `ConfigurationError` if there is no table for feedback.
    """
    check(db, "list_feedback", scope, others=["rating", "since", "until", "limit", "before"])
    return await feedback.list_feedback(
        db, rating=rating, since=since, until=until, limit=limit, before=before, scope=scope
    )


@overload
async def feedback_report(
    db: Database[ReadyMade, Metadata],
    *,
    by: Sequence[str] = (),
    since: datetime | None = None,
    until: datetime | None = None,
    user_id: str | None = ...,
) -> list[FeedbackRow]: ...


@overload
async def feedback_report(
    db: Database[OwnChat, Metadata],
    *,
    by: Sequence[str] = (),
    since: datetime | None = None,
    until: datetime | None = None,
    **scope: object,
) -> list[FeedbackRow]: ...


async def feedback_report(
    db: AnyDatabase,
    *,
    by: Sequence[str] = (),
    since: datetime | None = None,
    until: datetime | None = None,
    **scope: object,
) -> list[FeedbackRow]:
    """Return how many messages were rated, and how, a row per group.

        for row in await feedback_report(db, by=["model"]):
            print(row.by["model"], row.positive, row.negative, row.mean)

    `by` names `"hour"`, `"day"` or `"month"` (UTC, of the feedback), `owner`, `model`, `provider`,
    `agent`, `chat_id`, `run_id`, and the columns of your chats; without it there is one row for
    all. `since` is included, `until` is not. Columns of your chats as keywords restrict it. Raises
    `ValueError` for an unknown name, and `ConfigurationError` if there is no table for feedback.
    """
    check(db, "feedback_report", scope, others=["by", "since", "until"])
    return await feedback.feedback_report(db, by, since=since, until=until, scope=scope)
