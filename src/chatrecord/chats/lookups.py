"""Chats and requests found by how they went, for those who look after an application."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import get_args
from uuid import UUID

from chatrecord.records import ApiRequest, ChatRecord, RequestStatus, RunStatus
from chatrecord.runs.process import Backend
from chatrecord.store.chat_store import Scope
from chatrecord.store.lookup_store import ChatFilter, FoundChats, RequestFilter, RequestOrder
from chatrecord.text.arguments import check_count, check_text

from .opening import repair
from .titles import checked_search

AMONG = 500
"""Chats that are looked at in one query."""


async def find_chats(
    backend: Backend,
    where: ChatFilter,
    *,
    limit: int,
    before: tuple[datetime, UUID] | None,
    scope: Scope,
    search: str | None = None,
) -> FoundChats:
    """Chats that pass the filter among the next 500, newest activity first."""
    check_count("limit", limit)
    check_filter(where)
    found = await backend.store.shown.find_chats(
        where,
        limit=limit,
        among=max(AMONG, limit),
        before=before,
        scope=scope,
        search=checked_search(search),
    )
    await repair(backend, chats=[chat.id for chat in found.chats])
    return found


async def all_found(
    backend: Backend,
    where: ChatFilter,
    *,
    limit: int,
    before: ChatRecord | None,
    scope: Scope,
    search: str | None,
) -> list[ChatRecord]:
    """A whole page of such chats, however far apart they are."""
    key = None if before is None else (before.updated_at, before.id)
    chats: list[ChatRecord] = []
    while True:
        left = limit - len(chats)
        found = await find_chats(backend, where, limit=left, before=key, scope=scope, search=search)
        chats += found.chats
        key = found.next
        if key is None or len(chats) >= limit:
            return chats


async def list_requests(
    backend: Backend,
    where: RequestFilter,
    *,
    order_by: RequestOrder,
    limit: int,
    before: ApiRequest | None,
    scope: Scope,
) -> list[ApiRequest]:
    """A page of requests that pass the filter, the highest first."""
    check_count("limit", limit)
    _check_one_of("order_by", order_by, get_args(RequestOrder))
    if where.status is not None:
        _check_one_of("status", where.status, get_args(RequestStatus))
    check_text("model", where.model)
    if before is not None and not isinstance(before, ApiRequest):
        msg = "before= takes the last ApiRequest of the page before"
        raise TypeError(msg)
    return await backend.store.shown.list_requests(
        where, order_by=order_by, limit=limit, before=before, scope=scope
    )


def check_filter(where: ChatFilter) -> None:
    """Raise `TypeError` or `ValueError` for a filter that no chat could pass by mistake."""
    if not isinstance(where, ChatFilter):
        msg = f"where= takes a ChatFilter, not {type(where).__name__}"
        raise TypeError(msg)
    check_text("tool", where.tool)
    if where.status is not None:
        _check_one_of("status", where.status, get_args(RunStatus))
    if where.min_cost is not None and not isinstance(where.min_cost, Decimal | int):
        msg = f"min_cost= takes a Decimal, not {type(where.min_cost).__name__}: Decimal('0.10')"
        raise TypeError(msg)


def _check_one_of(name: str, value: object, known: tuple[str, ...]) -> None:
    if value not in known:
        msg = f"{name}= takes {' or '.join(map(repr, known))}, not {value!r}"
        raise ValueError(msg)
