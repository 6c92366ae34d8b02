"""Search hits as JSON, and the cursor to the next page of them."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from starlette.requests import Request

from chatrecord.chats.search_hits import SearchHit, Snippet
from chatrecord.records import Json
from chatrecord.text.search_query import LONGEST_QUERY

from .bodies import invalid


def query_in(request: Request) -> str:
    """What is searched for."""
    value = request.query_params.get("q", "")
    if len(value) > LONGEST_QUERY:
        raise invalid(f"'q' has at most {LONGEST_QUERY} characters.")
    return value


def hits_json(hits: Sequence[SearchHit], limit: int) -> dict[str, Json]:
    """A page of hits. A snippet is a list of plain texts: a client decides how a match looks."""
    following = _cursor_of(hits[-1]) if len(hits) == limit else None
    return {"hits": [_hit_json(hit) for hit in hits], "next": following}


def _hit_json(hit: SearchHit) -> dict[str, Json]:
    return {
        "chatId": str(hit.chat_id),
        "title": hit.title,
        "messageId": None if hit.message_id is None else str(hit.message_id),
        "seq": hit.seq,
        "role": hit.role,
        "snippet": [{"text": text, "match": is_match} for text, is_match in hit.snippet.parts],
        "rank": hit.rank,
        "createdAt": hit.created_at.isoformat(),
    }


def _cursor_of(hit: SearchHit) -> str:
    of_message = "" if hit.message_id is None else hit.message_id
    return urlsafe_b64encode(f"{hit.rank}|{hit.chat_id}|{of_message}".encode()).decode().rstrip("=")


def hit_of(cursor: str) -> SearchHit:
    """The hit at this place, as far as the place needs it."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        rank, chat, message = urlsafe_b64decode(padded.encode("ascii")).decode().split("|")
        known, of_message = UUID(chat), UUID(message) if message else None
        place = float(rank)
    except ValueError as error:
        raise invalid("'after' is the 'next' of the page before.") from error
    now = datetime.now(UTC)
    return SearchHit(known, None, of_message, None, "title", Snippet(""), place, now)
