"""The query parameters of a URL."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime
from uuid import UUID

from starlette.requests import Request

from chatrecord.chats.titles import LONGEST_TITLE
from chatrecord.records import ChatRecord

from .bodies import invalid


def number(request: Request, name: str, default: int, *, most: int = 2**31 - 1) -> int:
    """A number from 1 on, or its default."""
    value = request.query_params.get(name)
    if value is None:
        return default
    if not value.isdecimal() or len(value) > len(str(most)) or not 1 <= int(value) <= most:
        raise invalid(f"{name!r} is a number from 1 to {most}.")
    return int(value)


def search(request: Request) -> str | None:
    """What is searched for."""
    value = request.query_params.get("search", "")
    if len(value) > LONGEST_TITLE or not value.isprintable():
        raise invalid(f"'search' has at most {LONGEST_TITLE} characters, in one line.")
    return value.strip() or None


def cursor_of(chat: ChatRecord) -> str:
    """A place in the list of chats, to be handed back as it is."""
    place = f"{chat.updated_at.isoformat()}|{chat.id}"
    return urlsafe_b64encode(place.encode()).decode().rstrip("=")


def place_of(cursor: str) -> ChatRecord:
    """The chat at this place, as far as the place needs it."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        when, _, chat_id = urlsafe_b64decode(padded.encode("ascii")).decode().partition("|")
        at, known = datetime.fromisoformat(when).astimezone(UTC), UUID(chat_id)
    except (ValueError, OverflowError) as error:
        raise invalid("'before' is the 'next' of the page before.") from error
    return ChatRecord(known, None, None, None, None, None, {}, at, at)
