"""Chats that pass a filter, for the page."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, cast, get_args
from uuid import UUID

from starlette.requests import Request

from chatrecord.chats.lookups import find_chats
from chatrecord.records import ChatRecord, Json, RunStatus
from chatrecord.store.chat_store import Scope
from chatrecord.store.lookup_store import ChatFilter
from chatrecord.web.bodies import invalid
from chatrecord.web.query_parameters import search

from .access import Access
from .cursors import cursor_of, key_of
from .plain_values import object_of, plain

PAGE = 50


async def chats_json(access: Access, request: Request, scope: Scope | None) -> dict[str, Json]:
    """A page of chats, and where the next begins. It may be empty and yet not the last."""
    if scope is None:
        return {"chats": [], "next": None, "names": {}, "usage": {}}
    found = await find_chats(
        access.backend,
        _filter(request),
        limit=PAGE,
        before=key_of(request),
        scope=scope,
        search=search(request),
    )
    following: Json = None
    if found.next is not None:
        following = {"key": cursor_of(found.next), "reached": found.next[0].isoformat()}
    used = await access.backend.store.shown.usage_by_chat([chat.id for chat in found.chats])
    return {
        "chats": [object_of(chat) for chat in found.chats],
        "next": following,
        "names": await names_of(access, found.chats),
        "usage": {str(chat_id): plain(usage) for chat_id, usage in used.items()},
    }


async def chats_of_rows(access: Access, ids: Collection[UUID], scope: Scope) -> dict[str, Json]:
    """The chats that rows of a list belong to: their titles and columns, by id."""
    chats = await access.backend.store.shown.chats_by_id(ids, scope)
    return {
        "chats": {
            str(chat.id): {"title": chat.title, "columns": plain(chat.columns)}
            for chat in chats.values()
        },
        "names": await names_of(access, list(chats.values())),
    }


async def names_of(access: Access, chats: Sequence[ChatRecord]) -> Any:
    """What people call the values of the columns of these chats, by column."""
    called = {}
    for column in access.names:
        found = await access.named(column, [chat.columns.get(column) for chat in chats])
        called[column] = {str(plain(value)): str(shown) for value, shown in found.items()}
    return called


def _filter(request: Request) -> ChatFilter:
    given = request.query_params
    status = given.get("status") or None
    if status is not None and status not in get_args(RunStatus):
        raise invalid(f"'status' is one of {', '.join(get_args(RunStatus))}.")
    return ChatFilter(
        tool=given.get("tool") or None,
        status=cast(RunStatus | None, status),
        min_cost=_amount(given.get("cost")),
    )


def _amount(text: str | None) -> Decimal | None:
    if not text:
        return None
    try:
        amount = Decimal(text)
    except InvalidOperation as error:
        raise invalid("'cost' is an amount in US dollars, such as 0.10.") from error
    if not (amount.is_finite() and 0 <= amount < 10**9):
        raise invalid("'cost' is an amount in US dollars, from 0 on.")
    return round(amount, 12)
