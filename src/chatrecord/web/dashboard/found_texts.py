"""What was said about something, for the page: the best hits of the search, if there is one."""

from __future__ import annotations

from starlette.requests import Request

from chatrecord.chats.searching import search_messages
from chatrecord.errors import SearchUnavailable
from chatrecord.records import Json
from chatrecord.store.chat_store import Scope
from chatrecord.web.searching import hits_json, query_in

from .access import Access

MOST = 20


async def texts_json(access: Access, request: Request, scope: Scope | None) -> dict[str, Json]:
    """Hits in questions and answers; titles are found with the chats. Or why there are none."""
    query = query_in(request)
    if scope is None:
        return {"hits": [], "unavailable": None}
    try:
        found = await search_messages(
            access.backend, query, limit=MOST, after=None, superseded=True, scope=scope
        )
    except SearchUnavailable as error:
        return {"hits": [], "unavailable": str(error)}
    said = [hit for hit in found if hit.message_id is not None]
    return {"hits": hits_json(said, MOST)["hits"], "unavailable": None}
