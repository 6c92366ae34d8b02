"""Requests that pass a filter, for the page: with the chats that they belong to."""

from __future__ import annotations

from typing import cast, get_args

from starlette.requests import Request

from chatrecord.chats.lookups import list_requests
from chatrecord.records import Json, RequestStatus
from chatrecord.store.chat_store import Scope
from chatrecord.store.lookup_store import RequestFilter, RequestOrder
from chatrecord.web.bodies import invalid

from .access import Access
from .found_chats import chats_of_rows
from .plain_values import object_of
from .times import span_of

PAGE = 100


async def requests_json(access: Access, request: Request, scope: Scope | None) -> dict[str, Json]:
    """The first requests by this order."""
    where, order_by = _filter(request), request.query_params.get("order") or "started_at"
    if order_by not in get_args(RequestOrder):
        raise invalid(f"'order' is one of {', '.join(get_args(RequestOrder))}.")
    if scope is None:
        return {"requests": [], "chats": {}, "names": {}}
    found = await list_requests(
        access.backend,
        where,
        order_by=cast(RequestOrder, order_by),
        limit=PAGE,
        before=None,
        scope=scope,
    )
    ids = {it.chat_id for it in found if it.chat_id is not None}
    return {
        "requests": [object_of(it) for it in found],
        **await chats_of_rows(access, ids, scope),
    }


def _filter(request: Request) -> RequestFilter:
    status = request.query_params.get("status") or None
    if status is not None and status not in get_args(RequestStatus):
        raise invalid(f"'status' is one of {', '.join(get_args(RequestStatus))}.")
    return RequestFilter(
        span=span_of(request),
        status=cast(RequestStatus | None, status),
        model=request.query_params.get("model") or None,
    )
