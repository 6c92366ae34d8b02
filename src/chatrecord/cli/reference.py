"""Which chat is meant: by its id, by the beginning of it, or by being the latest."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

from chatrecord.errors import ChatNotFound, ConfigurationError
from chatrecord.records import ChatRecord
from chatrecord.sqlalchemy import list_chats, list_deleted_chats
from chatrecord.text.arguments import LONGEST_KEY
from chatrecord.text.storable import escape

from .database import Chats
from .program import PROGRAM

_PAGE = 500
_MOST_DELETED = 100_000
"""The list of deleted chats has no pages."""
_SHOWN = 13
"""The first characters of an id hold its millisecond, which nearly always tells chats apart."""


def short(chat_id: UUID) -> str:
    """The beginning of an id, long enough to be typed in its place."""
    return str(chat_id)[:_SHOWN]


def scope_of(user: str | None) -> dict[str, Any]:
    """The keywords that keep to one user's chats, where one is named.

    Raises `ConfigurationError` for a name that no user has.
    """
    if user is not None and len(escape(user)) > LONGEST_KEY:
        msg = f"--user takes at most {LONGEST_KEY} characters"
        raise ConfigurationError(msg)
    return {} if user is None else {"user_id": user}


async def latest_chat(db: Chats, user: str | None) -> ChatRecord:
    """The chat that was active last. Raises `ChatNotFound` where there is none."""
    found = await list_chats(db, limit=1, **scope_of(user))
    if not found:
        msg = f"There are no chats here yet: start one with {PROGRAM} chat"
        raise ChatNotFound(msg)
    return found[0]


async def chat_of(db: Chats, reference: str, user: str | None) -> ChatRecord:
    """The one chat whose id begins like this. Raises `ChatNotFound`."""
    return await _one_of(_all_chats(db, user), reference, f"{PROGRAM} chats")


async def deleted_chat_of(db: Chats, reference: str, user: str | None) -> ChatRecord:
    """The same of those that were deleted and can be restored."""
    return await _one_of(_deleted_chats(db, user), reference, f"{PROGRAM} chats --deleted")


async def _one_of(chats: AsyncIterator[ChatRecord], reference: str, shown_by: str) -> ChatRecord:
    beginning = reference.strip().lower()
    if not beginning:
        msg = f"Which chat? Say the beginning of its id, as {shown_by} shows it"
        raise ChatNotFound(msg)
    found = [chat async for chat in chats if str(chat.id).startswith(beginning)]
    if len(found) == 1:
        return found[0]
    if not found:
        msg = f"There is no chat {reference} here. These are there: {shown_by}"
    else:
        some = ", ".join(str(chat.id) for chat in found[:3])
        msg = f"{len(found)} chats begin with {reference}: say more of the id, such as {some}"
    raise ChatNotFound(msg)


async def _all_chats(db: Chats, user: str | None) -> AsyncIterator[ChatRecord]:
    page = await list_chats(db, limit=_PAGE, **scope_of(user))
    while page:
        for chat in page:
            yield chat
        page = await list_chats(db, limit=_PAGE, before=page[-1], **scope_of(user))


async def _deleted_chats(db: Chats, user: str | None) -> AsyncIterator[ChatRecord]:
    for chat in await list_deleted_chats(db, limit=_MOST_DELETED, **scope_of(user)):
        yield chat
