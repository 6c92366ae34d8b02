"""Events: numbered once they are committed, read in that order, and deleted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from chatrecord.errors import DatabaseFailed
from chatrecord.events import LAST, Event, NewEvent
from chatrecord.sqlalchemy.engine.connections import Connections
from chatrecord.sqlalchemy.generics import Row
from chatrecord.sqlalchemy.sql.events import COUNTER
from chatrecord.sqlalchemy.sql.statements import Statements
from chatrecord.store.chat_store import Scope
from chatrecord.store.event_store import ReaderState

from .rows import values_of

BATCH = 500
"""Events that are numbered or deleted in one transaction."""


class StoredEvents(Connections):
    """What `chatrecord.store` says of events."""

    async def number_events(self) -> int:
        row = (await self._read(self._sql.event_numbers))[0]
        if not row["waiting"]:
            return int(row["last"] or 0)
        if row["last"] is None:
            await self._add_reader(COUNTER)
        last, is_more = 0, True
        while is_more:
            last, is_more = await self._retried(self._number_some)
        return last

    async def _add_reader(self, name: str) -> None:
        """Another process may be faster."""
        reader = {"name": name, "position": 0}
        try:
            await self._retried(lambda: self._changed(self._sql.add_reader, reader))
        except DatabaseFailed as error:
            if not isinstance(error.__cause__, IntegrityError):
                raise

    async def _number_some(self) -> tuple[int, bool]:
        """Number some events. Returns the last number, and whether there may be more.

        One process at a time does so, and reads the events after the one before has committed:
        whoever sees a number sees all that are below it.
        """
        sql = self._sql
        async with self.transaction() as connection:
            await connection.execute(sql.lock_numbers)
            last: int = (await connection.execute(sql.last_number)).scalar_one()
            found = await connection.execute(sql.unnumbered, {"limit": BATCH})
            first = found.mappings().all()
            ids = await _in_order(sql, connection, first)
            if ids:
                numbers = enumerate(ids, start=last + 1)
                rows = [{"row_id": row_id, "new_position": place} for place, row_id in numbers]
                await connection.execute(sql.number_event, rows)
                last += len(ids)
                await connection.execute(sql.set_last_number, {"new_position": last})
        return last, len(first) == BATCH

    async def read_events(
        self, after: int, *, until: int, types: Sequence[str], scope: Scope, limit: int
    ) -> list[Event]:
        statement = self._sql.read_events(scope, of_types=bool(types))
        page = {"after": after, "until": until, "limit": limit}
        named = {"types": list(types)} if types else {}
        return [_event_of(row) for row in await self._read(statement, **page, **named)]

    async def events_of_ids(self, ids: Sequence[int]) -> list[Event]:
        return [_event_of(row) for row in await self._read(self._sql.events_of_ids, ids=list(ids))]

    async def add_event(self, event: NewEvent) -> None:
        if self._sql.event is None:
            return
        statement, row = self._sql.add_event, values_of(event)
        await self._retried(lambda: self._changed(statement, row), only_undone=True)

    async def purge_events(self, before: datetime) -> int:
        deleted, after = 0, UUID(int=0)
        while self._sql.event is not None:
            page = await self._read(self._sql.oldest_events, after=after, limit=BATCH)
            old = [row["id"] for row in page if row["created_at"] < before]
            if not old:
                return deleted
            deleted += await self._delete_events(old)
            after = page[-1]["id"]
        return 0

    async def _delete_events(self, ids: Sequence[int]) -> int:
        these = {"ids": list(ids)}
        return await self._retried(lambda: self._changed(self._sql.delete_events, these))

    async def claim_reader(
        self, name: str, *, owner: str, now: datetime, until: datetime
    ) -> ReaderState | None:
        claim = {"of_name": name, "new_owner": owner, "now": now, "new_lease_until": until}
        if not await self._read(self._sql.reader, of_name=name):
            await self._add_reader(name)
        await self._retried(lambda: self._changed(self._sql.claim_reader, claim))
        (row,) = await self._read(self._sql.reader, of_name=name)
        is_mine = row["owner"] == owner
        return ReaderState(name, row["position"], row["waiting"]) if is_mine else None

    async def save_reader(self, state: ReaderState, *, owner: str, until: datetime | None) -> bool:
        saved = {
            "of_name": state.name,
            "of_owner": owner,
            "new_position": state.position,
            "new_waiting": state.waiting,
        }
        statement = self._sql.free_reader
        if until is not None:
            statement, saved = self._sql.save_reader, saved | {"new_lease_until": until}
        return await self._retried(lambda: self._changed(statement, saved)) > 0


async def _in_order(
    sql: Statements, connection: AsyncConnection, first: Sequence[Row]
) -> list[UUID]:
    """The ids of these events, and of all others of their chats, each chat's in its own order.

    By their ids they are not always: those are made by the clocks of several machines.
    """
    chats = sorted({row["chat_id"] for row in first if row["chat_id"] is not None})
    rows = {row["id"]: row for row in first}
    if chats:
        found = await connection.execute(sql.unnumbered_of_chats, {"chat_ids": chats})
        rows |= {row["id"]: row for row in found.mappings()}
    ordered = sorted(rows.values(), key=lambda row: (row["chat_order"], row["id"]))
    of_chat: dict[UUID | None, Iterator[Row]] = {
        chat_id: iter([row for row in ordered if row["chat_id"] == chat_id])
        for chat_id in {row["chat_id"] for row in ordered}
    }
    return [next(of_chat[rows[row_id]["chat_id"]])["id"] for row_id in sorted(rows)]


async def tell_of_deletion(
    sql: Statements, connection: AsyncConnection, chat_ids: Sequence[UUID]
) -> None:
    """These chats are deleted by this transaction."""
    if sql.event is not None and chat_ids:
        rows = [
            values_of(NewEvent("chat.deleted", chat_id, chat_order=LAST)) for chat_id in chat_ids
        ]
        await connection.execute(sql.add_event, rows)


def _event_of(row: Row) -> Event:
    return Event(
        id=row["position"],
        type=row["type"],
        chat_id=row["chat_id"],
        run_id=row["run_id"],
        created_at=row["created_at"],
        data=row["data"] or {},
        uuid=row["id"],
    )
