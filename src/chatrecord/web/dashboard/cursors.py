"""Where a page of a list ends and the next begins, as its address says it."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime
from uuid import UUID

from starlette.requests import Request

from chatrecord.web.bodies import invalid


def cursor_of(key: tuple[datetime, UUID]) -> str:
    """The key of the last row of a page, as text."""
    return urlsafe_b64encode(f"{key[0].isoformat()}|{key[1]}".encode()).decode()


def key_of(request: Request) -> tuple[datetime, UUID] | None:
    """The key that `before` has. Raises `BadRequest`."""
    cursor = request.query_params.get("before")
    if not cursor:
        return None
    try:
        when, _, row_id = urlsafe_b64decode(cursor.encode("ascii")).decode().partition("|")
        return datetime.fromisoformat(when).astimezone(UTC), UUID(row_id)
    except (ValueError, OverflowError) as error:
        raise invalid("'before' is the 'key' of the page before.") from error
