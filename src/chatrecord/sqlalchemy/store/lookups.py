"""Chats and requests found by how they went."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from chatrecord.chats.titles import patterns_of
from chatrecord.records import ApiRequest, ChatRecord, Usage
from chatrecord.sqlalchemy.engine.connections import Connections
from chatrecord.sqlalchemy.generics import Values
from chatrecord.sqlalchemy.models.encryption import keys_of
from chatrecord.sqlalchemy.sql.lookups import (
    chats_by_id,
    found_chats,
    last_key,
    listed_requests,
    usage_by_chat,
)
from chatrecord.store.chat_store import Scope
from chatrecord.store.lookup_store import ChatFilter, FoundChats, RequestFilter, RequestOrder
from chatrecord.text.storable import escape

from .rows import chat_of, request_of, usage_of
from .title_search import titled


class StoredLookups(Connections):
    """What `chatrecord.store` says of lookups."""

    async def find_chats(
        self,
        where: ChatFilter,
        *,
        limit: int,
        among: int,
        before: tuple[datetime, UUID] | None,
        scope: Scope,
        search: str | None = None,
    ) -> FoundChats:
        if where.tool is not None:
            where = replace(where, tool=escape(where.tool))
        reads_titles = search is not None and keys_of(self._engine.dialect) is not None
        patterns = [] if search is None or reads_titles else patterns_of(escape(search))
        after_key, key = before is not None, _key(before)
        if where == ChatFilter() and search is None:  # each passes
            listed = self._sql.list_chats(scope, after_key=after_key)
            return _page(
                [chat_of(row) for row in await self._read(listed, limit=limit, **key)], limit
            )
        statement = found_chats(self._sql, where, scope, after_key=after_key, words=len(patterns))
        words = {f"word_{place}": pattern for place, pattern in enumerate(patterns)}
        bounds = {"limit": among, "found": among if reads_titles else limit}
        chats = [chat_of(row) for row in await self._read(statement, **bounds, **key, **words)]
        if reads_titles and search is not None:
            chats = titled(chats, patterns_of(search))[:limit]
        if len(chats) == limit:
            return _page(chats, limit)
        last = last_key(self._sql, scope, after_key=after_key)
        rows = await self._read(last, limit=1, skipped=among - 1, **key)
        return FoundChats(chats, (rows[0]["updated_at"], rows[0]["id"]) if rows else None)

    async def list_requests(
        self,
        where: RequestFilter,
        *,
        order_by: RequestOrder,
        limit: int,
        before: ApiRequest | None,
        scope: Scope,
    ) -> list[ApiRequest]:
        if where.model is not None:
            where = replace(where, model=escape(where.model))
        statement = listed_requests(self._sql, where, scope, order_by, after_key=before is not None)
        key = {} if before is None else {"value": getattr(before, order_by), "id": before.id}
        return [request_of(row) for row in await self._read(statement, limit=limit, **key)]

    async def chats_by_id(
        self, chat_ids: Collection[UUID], scope: Scope
    ) -> Mapping[UUID, ChatRecord]:
        if not chat_ids:
            return {}
        statement = chats_by_id(self._sql, scope)
        rows = await self._read(statement, chat_ids=list(chat_ids))
        return {row["id"]: chat_of(row) for row in rows}

    async def usage_by_chat(self, chat_ids: Collection[UUID]) -> Mapping[UUID, Usage]:
        if not chat_ids or self._sql.request is None:
            return {}
        rows = await self._read(usage_by_chat(self._sql), chat_ids=list(chat_ids))
        return {row["chat_id"]: usage_of(row) for row in rows}


def _page(chats: list[ChatRecord], limit: int) -> FoundChats:
    is_full = len(chats) == limit
    return FoundChats(chats, (chats[-1].updated_at, chats[-1].id) if is_full else None)


def _key(before: tuple[datetime, UUID] | None) -> Values:
    return {} if before is None else {"updated_at": before[0], "id": before[1]}
