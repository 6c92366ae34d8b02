"""What people think of answers: given, read, and reported."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import cast
from uuid import UUID

from chatrecord.errors import MessageNotFound
from chatrecord.feedback import (
    Feedback,
    FeedbackRow,
    checked_comment,
    checked_owner,
    checked_rating,
    checked_value,
)
from chatrecord.ids import new_id
from chatrecord.records import Message
from chatrecord.runs.process import Backend
from chatrecord.store.chat_store import Scope
from chatrecord.store.feedback_store import FeedbackFilter
from chatrecord.text.arguments import check_count, check_list, check_moment, checked_id


async def give_feedback(
    backend: Backend,
    chat_id: UUID,
    message_id: object,
    *,
    value: object,
    comment: object,
    owner: object,
) -> Feedback:
    """Store what somebody thinks of a message, in the place of what they said before."""
    number, words, by = checked_value(value), checked_comment(comment), checked_owner(owner)
    message = await _message(backend, chat_id, message_id)
    now = datetime.now(UTC)
    given = Feedback(
        id=new_id(),
        chat_id=chat_id,
        message_id=message.id,
        run_id=message.run_id,
        owner=by,
        value=number,
        comment=words,
        created_at=now,
        updated_at=now,
    )
    return await backend.store.put_feedback(given)


async def withdraw_feedback(
    backend: Backend, chat_id: UUID, message_id: object, owner: object
) -> bool:
    """Delete what somebody has said of a message. Returns whether there was something."""
    by = checked_owner(owner)
    message = await _message(backend, chat_id, message_id)
    return await backend.store.delete_feedback(chat_id, message.id, by)


async def _message(backend: Backend, chat_id: UUID, message_id: object) -> Message:
    """The message of this id, or the last answer of the run of this id."""
    wanted = checked_id(message_id, "message_id")
    found = None if wanted is None else await backend.store.get_message(chat_id, wanted)
    if found is None and wanted is not None:
        run = await backend.store.get_run(chat_id, wanted)
        rows = None if run is None else await backend.store.rows_of(run, with_journal=False)
        answers = [it for it in rows.messages if it.role == "assistant"] if rows else []
        found = answers[-1] if answers else None
    if found is None:
        msg = f"There is no message {message_id} in chat {chat_id}"
        raise MessageNotFound(msg)
    return found


async def list_feedback(
    backend: Backend,
    *,
    rating: object,
    since: datetime | None,
    until: datetime | None,
    limit: int,
    before: object,
    scope: Scope,
) -> list[Feedback]:
    """A page of feedback of all chats in the scope, the newest first."""
    check_count("limit", limit)
    if before is not None and not isinstance(before, Feedback):
        msg = "before= takes the last Feedback of the page before"
        raise TypeError(msg)
    check_moment("since", since)
    check_moment("until", until)
    wanted = FeedbackFilter(checked_rating(rating), since, until, scope)
    key = None if before is None else (before.created_at, before.id)
    return await backend.store.list_feedback(wanted, limit=limit, before=key)


async def feedback_report(
    backend: Backend,
    by: object,
    *,
    since: datetime | None,
    until: datetime | None,
    scope: Scope,
) -> list[FeedbackRow]:
    """Counts and means in groups."""
    if isinstance(by, str):
        msg = f"by= takes a list of names: by=[{by!r}]"
        raise TypeError(msg)
    check_list("by", by, "names")
    check_moment("since", since)
    check_moment("until", until)
    wanted = FeedbackFilter(None, since, until, scope)
    return await backend.store.feedback_report(list(cast(Sequence[str], by)), wanted)
