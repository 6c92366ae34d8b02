"""What is shown, read from a replica."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import aclosing
from datetime import datetime, timedelta
from time import monotonic
from typing import Any, TypeAlias, TypeVar
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from chatrecord.attachments.attachment import Attachment
from chatrecord.errors import DatabaseFailed
from chatrecord.records import ApiRequest, ChatRecord, Message, ToolCall, Usage
from chatrecord.spending.reports import Span, UsageRow
from chatrecord.sqlalchemy.engine.replication import WINDOW, Replication
from chatrecord.store.chat_store import Scope
from chatrecord.store.lookup_store import ChatFilter, FoundChats, RequestFilter, RequestOrder
from chatrecord.store.rows import RunsRows
from chatrecord.store.search_store import FoundText, NearText
from chatrecord.text.search_query import SearchQuery

from .chats import ChatRow
from .noted_store import NotedStore
from .store import SqlStore

log = logging.getLogger("chatrecord")

Result = TypeVar("Result")
Reading: TypeAlias = Callable[[SqlStore], Awaitable[Result]]

_AWAY = 5.0
"""Seconds for which a replica that has failed is not asked."""

_PATIENT = 0.25
"""Seconds for which a read of many chats waits for the replica."""


class ReplicaStore(SqlStore):
    """The store of a replica. It tries nothing again: there is the primary."""

    async def _retried(
        self, work: Callable[[], Awaitable[Result]], *, only_undone: bool = False
    ) -> Result:
        return await work()

    async def number(self, statement: Any) -> int | None:
        """What a statement says that returns a number."""
        return await _number(self, statement)


class ShownByReplica:
    """Implements `ShownStore`: by the replica, unless it lacks what this process has written."""

    def __init__(
        self, primary: NotedStore, replica: ReplicaStore, window: timedelta | None
    ) -> None:
        self.engine: AsyncEngine = replica._engine
        self._primary, self._replica = primary, replica
        is_postgresql = self.engine.dialect.name == "postgresql"
        self._window = window if window is not None or is_postgresql else WINDOW
        self._start()

    def _start(self) -> None:
        self._is_away, self._away_until = False, 0.0
        self._replication = Replication(
            lambda statement: _number(self._primary, statement), self._replica.number, self._window
        )

    def _reset_after_fork(self) -> object:
        self._replica.reset_after_fork()
        inherited = self._replication
        self._start()
        return inherited

    def leave_days_alone(self) -> None:
        """See `StoredUsageDays`."""
        self._replica.leave_days_alone()

    async def close(self) -> None:
        """Close the connections to the replica, unless its engine is the application's."""
        await self._replica.close()

    async def list_chats(
        self,
        *,
        limit: int,
        before: tuple[datetime, UUID] | None,
        scope: Scope,
        search: str | None = None,
    ) -> list[ChatRecord]:
        return await self._of_scope(
            scope, lambda on: on.list_chats(limit=limit, before=before, scope=scope, search=search)
        )

    async def report(
        self,
        by: Sequence[str],
        span: Span,
        scope: Scope,
        *,
        percentiles: bool = False,
        most: int | None = None,
    ) -> list[UsageRow]:
        def read(on: SqlStore) -> Awaitable[list[UsageRow]]:
            return on.report(by, span, scope, percentiles=percentiles, most=most)

        if self._replication.is_by_time and not scope:
            return await self._read(read)  # a server would write all the time
        return await self._of_scope(scope, read)

    async def search(
        self, query: SearchQuery, scope: Scope, *, superseded: bool, most: int, longest: int
    ) -> list[FoundText]:
        def read(on: SqlStore) -> Awaitable[list[FoundText]]:
            return on.search(query, scope, superseded=superseded, most=most, longest=longest)

        return await self._of_scope(scope, read)

    async def nearest(
        self,
        vector: Sequence[float],
        scope: Scope,
        *,
        superseded: bool,
        most: int,
        longest: int,
        limit: int,
        after: tuple[float, UUID] | None,
    ) -> list[NearText]:
        def read(on: SqlStore) -> Awaitable[list[NearText]]:
            return on.nearest(
                vector,
                scope,
                superseded=superseded,
                most=most,
                longest=longest,
                limit=limit,
                after=after,
            )

        return await self._of_scope(scope, read)

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
        def read(on: SqlStore) -> Awaitable[FoundChats]:
            return on.find_chats(
                where, limit=limit, among=among, before=before, scope=scope, search=search
            )

        return await self._of_scope(scope, read)

    async def list_requests(
        self,
        where: RequestFilter,
        *,
        order_by: RequestOrder,
        limit: int,
        before: ApiRequest | None,
        scope: Scope,
    ) -> list[ApiRequest]:
        def read(on: SqlStore) -> Awaitable[list[ApiRequest]]:
            return on.list_requests(
                where, order_by=order_by, limit=limit, before=before, scope=scope
            )

        return await self._of_scope(scope, read)

    async def chats_by_id(
        self, chat_ids: Collection[UUID], scope: Scope
    ) -> Mapping[UUID, ChatRecord]:
        return await self._of_chats(chat_ids, lambda on: on.chats_by_id(chat_ids, scope))

    async def usage_by_chat(self, chat_ids: Collection[UUID]) -> Mapping[UUID, Usage]:
        return await self._of_chats(chat_ids, lambda on: on.usage_by_chat(chat_ids))

    async def messages(self, chat_id: UUID, *, limit: int, before: int | None) -> list[Message]:
        return await self._of_chat(
            chat_id, lambda on: on.messages(chat_id, limit=limit, before=before)
        )

    async def summaries(self, chat_id: UUID) -> list[Message]:
        return await self._of_chat(chat_id, lambda on: on.summaries(chat_id))

    async def tool_calls(self, chat_id: UUID) -> list[ToolCall]:
        return await self._of_chat(chat_id, lambda on: on.tool_calls(chat_id))

    async def requests(self, chat_id: UUID) -> list[ApiRequest]:
        return await self._of_chat(chat_id, lambda on: on.requests(chat_id))

    async def rows_of_runs(self, chat_id: UUID, run_ids: Collection[UUID]) -> RunsRows:
        return await self._of_chat(chat_id, lambda on: on.rows_of_runs(chat_id, run_ids))

    async def usage(self, chat_id: UUID) -> Usage:
        return await self._of_chat(chat_id, lambda on: on.usage(chat_id))

    async def attachment(self, chat_id: UUID, file_hash: str) -> Attachment | None:
        """A file that another process has just written is not unknown: it is on the primary."""
        found = await self._of_chat(chat_id, lambda on: on.attachment(chat_id, file_hash))
        return found or await self._primary.attachment(chat_id, file_hash)

    async def rows_of_chat(self, chat_id: UUID, scope: Scope) -> AsyncGenerator[ChatRow]:
        """Likewise. What fails after the first row fails."""
        if await self._is_ready(self._primary.written.of_chat(chat_id)):
            async with aclosing(self._replica.rows_of_chat(chat_id, scope)) as rows:
                first = await self._tried(lambda: anext(rows, None))
                if first is not None:
                    yield first
                    async for row in rows:
                        yield row
                    return
        async with aclosing(self._primary.rows_of_chat(chat_id, scope)) as rows:
            async for row in rows:
                yield row

    async def _of_chat(self, chat_id: UUID, read: Reading[Result]) -> Result:
        return await self._of_chats([chat_id], read)

    async def _of_chats(self, chat_ids: Collection[UUID], read: Reading[Result]) -> Result:
        written = max(map(self._primary.written.of_chat, chat_ids), default=0.0)
        return await (self._read(read) if await self._is_ready(written) else read(self._primary))

    async def _of_scope(self, scope: Scope, read: Reading[Result]) -> Result:
        written = self._primary.written.of_scope(scope)
        is_ready = await self._is_ready(written, wait=_PATIENT)
        return await (self._read(read) if is_ready else read(self._primary))

    async def _is_ready(self, written: float, *, wait: float = 0.0) -> bool:
        """Whether the replica answers, and has what was written until then."""
        if monotonic() < self._away_until:
            return False
        if written == 0.0:
            return True
        is_ready = await self._replication.has(written, wait=wait)
        self._primary.written.forget(self._replication.seen)
        return is_ready

    async def _read(self, read: Reading[Result]) -> Result:
        found = await self._tried(lambda: _boxed(read(self._replica)))
        return await read(self._primary) if found is None else found[0]

    async def _tried(self, work: Callable[[], Awaitable[Result]]) -> Result | None:
        """What the replica says; `None` where it fails, and for some seconds it is not asked."""
        try:
            found = await work()
        except DatabaseFailed as error:
            if not self._is_away:
                log.warning("The read replica has failed, the primary is read instead: %s", error)
            self._is_away, self._away_until = True, monotonic() + _AWAY
            return None
        if self._is_away:
            self._is_away = False
            log.warning("The read replica answers again")
        return found


async def _boxed(read: Awaitable[Result]) -> tuple[Result]:
    return (await read,)


async def _number(store: SqlStore, statement: Any) -> int | None:
    async with store.reading() as connection:
        found = (await connection.execute(statement)).scalar()
    return None if found is None else int(found)
