"""Requests of all chats, with the columns of your chats as keywords."""

from __future__ import annotations

from datetime import datetime
from typing import overload

from chatrecord.chats import lookups
from chatrecord.records import ApiRequest, RequestStatus
from chatrecord.spending.reports import Span
from chatrecord.store.lookup_store import RequestFilter, RequestOrder

from .chats import check
from .database import AnyDatabase, Database, Metadata, OwnChat, ReadyMade


@overload
async def list_requests(
    db: Database[ReadyMade, Metadata],
    *,
    order_by: RequestOrder = "started_at",
    limit: int = 20,
    before: ApiRequest | None = None,
    status: RequestStatus | None = None,
    model: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    user_id: str | None = ...,
) -> list[ApiRequest]: ...


@overload
async def list_requests(
    db: Database[OwnChat, Metadata],
    *,
    order_by: RequestOrder = "started_at",
    limit: int = 20,
    before: ApiRequest | None = None,
    status: RequestStatus | None = None,
    model: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    **scope: object,
) -> list[ApiRequest]: ...


async def list_requests(
    db: AnyDatabase,
    *,
    order_by: RequestOrder = "started_at",
    limit: int = 20,
    before: ApiRequest | None = None,
    status: RequestStatus | None = None,
    model: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    **scope: object,
) -> list[ApiRequest]:
    """Return a page of the requests of all chats, the latest first.

        slowest = await list_requests(db, order_by="latency_ms", since=week)
        failed = await list_requests(db, status="failed", since=week)

    `order_by` is `"started_at"` (the latest first), `"latency_ms"`, `"first_token_ms"` (the
    slowest first) or `"cost"` (the dearest first); requests without that value are left out.
    `before` is the last request of the page before. `status` and `model` are those of the requests;
    `since` is included, `until` is not. Without `since`, every order but the first reads all
    requests. Columns of your chats as keywords restrict it. Raises `TypeError` and `ValueError` for
    values that cannot be, and `ConfigurationError` if requests are not kept.
    """
    others = ["order_by", "limit", "before", "status", "model", "since", "until"]
    check(db, "list_requests", scope, others=others)
    return await lookups.list_requests(
        db,
        RequestFilter(Span(since, until), status, model),
        order_by=order_by,
        limit=limit,
        before=before,
        scope=scope,
    )
