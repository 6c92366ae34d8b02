"""What people think of answers, for the page: the newest first, with the chats it is about."""

from __future__ import annotations

from typing import cast, get_args

from starlette.requests import Request

from chatrecord.feedback import Rating
from chatrecord.records import Json
from chatrecord.store.chat_store import Scope
from chatrecord.store.feedback_store import FeedbackFilter
from chatrecord.web.bodies import invalid

from .access import Access
from .cursors import cursor_of, key_of
from .found_chats import chats_of_rows
from .plain_values import object_of
from .times import span_of

PAGE = 50


async def feedback_json(access: Access, request: Request, scope: Scope | None) -> dict[str, Json]:
    """A page of feedback, and where the next begins. Nothing where it is not kept."""
    rating, span, key = _rating(request), span_of(request), key_of(request)
    store = access.backend.store
    if scope is None or not store.keeps_feedback:
        return {"feedback": [], "next": None, "chats": {}, "names": {}}
    wanted = FeedbackFilter(rating, span.since, span.until, scope)
    found = await store.list_feedback(wanted, limit=PAGE, before=key)
    last = found[-1] if len(found) == PAGE else None
    return {
        "feedback": [object_of(it) for it in found],
        "next": None if last is None else cursor_of((last.created_at, last.id)),
        **await chats_of_rows(access, {it.chat_id for it in found}, scope),
    }


def _rating(request: Request) -> Rating | None:
    rating = request.query_params.get("rating") or None
    if rating is not None and rating not in get_args(Rating):
        raise invalid(f"'rating' is one of {', '.join(get_args(Rating))}.")
    return cast(Rating | None, rating)
