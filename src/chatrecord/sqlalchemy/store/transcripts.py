"""Reads the messages, tool calls and requests of a chat."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from chatrecord.attachments.attachment import Attachment
from chatrecord.records import ApiRequest, Message, Run, ToolCall, Usage
from chatrecord.sqlalchemy.engine.connections import Connections
from chatrecord.sqlalchemy.generics import Values
from chatrecord.sqlalchemy.sql.tables import kept
from chatrecord.store.changes import JournalEntry
from chatrecord.store.rows import RunRows, RunsRows
from chatrecord.store.stored_message import Known
from chatrecord.store.window import Window, begins_round

from .rows import entry_of, message_of, past_message_of, request_of, run_of, tool_call_of, usage_of

_ANY_SEQ = 2**31 - 1
"""Above every message number."""


class StoredTranscripts(Connections):
    """What `chatrecord.store` says of reading messages, tool calls and requests."""

    async def history(
        self, chat_id: UUID, window: Window, *, before: int, with_summary: bool = False
    ) -> list[Message]:
        async def read(connection: AsyncConnection) -> list[Message]:
            return await self._history(
                connection, chat_id, window, before=before, with_summary=with_summary
            )

        return await self._retried(lambda: self.read_by(read))

    async def summaries(self, chat_id: UUID) -> list[Message]:
        return [message_of(row) for row in await self._read(self._sql.summaries, chat_id=chat_id)]

    async def _history(
        self,
        connection: AsyncConnection,
        chat_id: UUID,
        window: Window,
        *,
        before: int = _ANY_SEQ,
        opened: int = 0,
        with_summary: bool = False,
    ) -> list[Message]:
        """What counts below a number, from the start of a round, and what was just opened."""
        summary: list[Message] = []
        if with_summary:
            last = {"chat_id": chat_id, "before": before}
            summary = _oldest_first(await connection.execute(self._sql.last_summary, last))
        after = -summary[0].seq if summary else -1
        found = await self._between(connection, chat_id, window, (after, before), opened=opened)
        return [*summary, *found]

    async def _between(
        self,
        connection: AsyncConnection,
        chat_id: UUID,
        window: Window,
        numbers: tuple[int, int],
        *,
        opened: int,
    ) -> Sequence[Message]:
        after, before = numbers
        limit = window.messages + opened
        page = {"chat_id": chat_id, "limit": limit, "before": before, "after": after}
        messages = await self._window_of(connection, chat_id, page)
        older = messages[: len(messages) - opened]
        if len(messages) < limit or any(begins_round(message) for message in older):
            return messages
        earlier = {"chat_id": chat_id, "before": messages[0].seq}
        first = (await connection.execute(self._sql.round_start, earlier)).scalar()
        whole_round = {"chat_id": chat_id, "first": max(first or 0, after + 1), "before": before}
        return _oldest_first(await connection.execute(self._sql.history_from, whole_round))

    async def _window_of(
        self, connection: AsyncConnection, chat_id: UUID, page: Values
    ) -> Sequence[Message]:
        """These messages, oldest first; those that are known from before are not read again."""
        cache = self.histories
        if not cache.is_long(chat_id):
            messages = _oldest_first(await connection.execute(self._sql.history_before, page))
            cache.note_length(chat_id, len(messages))
            return messages
        versions = (await connection.execute(self._sql.versions_before, page)).all()
        known = cache.unchanged(chat_id, reversed(versions))
        newer = {**page, "after": known[-1].seq} if known else page
        rows = (await connection.execute(self._sql.history_with_versions, newer)).all()
        read = [(version, past_message_of(row, Known())) for version, *row in reversed(rows)]
        cache.keep(chat_id, read, window=len(versions))
        return [*known, *(message for _, message in read)]

    async def with_files(self, messages: Sequence[Message]) -> list[Message]:
        return await self._retried(lambda: self.attachments.whole(messages))

    async def attachment(self, chat_id: UUID, file_hash: str) -> Attachment | None:
        return await self._retried(lambda: self.attachments.get(chat_id, file_hash))

    async def get_message(self, chat_id: UUID, message_id: UUID) -> Message | None:
        key = {"chat_id": chat_id, "message_id": message_id}
        rows = await self._read(self._sql.get_message, **key)
        return message_of(rows[0]) if rows else None

    async def first_messages(self, chat_id: UUID, *, limit: int) -> list[Message]:
        rows = await self._read(self._sql.first_messages, chat_id=chat_id, limit=limit)
        return [message_of(row) for row in rows]

    async def last_prompt(self, chat_id: UUID) -> Message | None:
        rows = await self._read(self._sql.last_prompt, chat_id=chat_id, limit=1)
        return message_of(rows[0]) if rows else None

    async def messages(self, chat_id: UUID, *, limit: int, before: int | None) -> list[Message]:
        if before is None:
            rows = await self._read(self._sql.last_messages, chat_id=chat_id, limit=limit)
        else:
            page = {"chat_id": chat_id, "limit": limit, "before": before}
            rows = await self._read(self._sql.messages_before, **page)
        return [message_of(row) for row in reversed(rows)]

    async def tool_calls(self, chat_id: UUID) -> list[ToolCall]:
        mapped = kept(self._sql.tool_call, "Tool calls", "tool_call")
        rows = await self._read(self._sql.all_of(mapped), chat_id=chat_id)
        calls = [tool_call_of(row) for row in rows]
        return await self._retried(lambda: self.attachments.whole_calls(calls))

    async def requests(self, chat_id: UUID) -> list[ApiRequest]:
        mapped = kept(self._sql.request, "Requests", "request")
        return [
            request_of(row) for row in await self._read(self._sql.all_of(mapped), chat_id=chat_id)
        ]

    async def usage(self, chat_id: UUID) -> Usage:
        return usage_of((await self._read(self._sql.usage, chat_id=chat_id))[0])

    async def rows_of(self, run: Run, *, with_journal: bool = True) -> RunRows:
        return await self._retried(lambda: self._rows_of(run, with_journal=with_journal))

    async def _rows_of(self, run: Run, *, with_journal: bool) -> RunRows:
        sql, key = self._sql, {"run_id": run.id, "chat_id": run.chat_id}
        async with self.reading() as connection:

            async def rows(statement: Any) -> Sequence[Any]:
                return (await connection.execute(statement, key)).mappings().all()

            # What is written last is read last: a message is never ahead of the calls before it.
            messages = await rows(sql.messages_of_run)
            tool_calls = await rows(sql.of_run(sql.tool_call)) if sql.tool_call else []
            requests = await rows(sql.of_run(sql.request)) if sql.request else []
            journal = await rows(sql.journal_of_run) if with_journal else []
        return RunRows(
            messages=[message_of(row) for row in messages],
            tool_calls=await self.attachments.whole_calls(
                [tool_call_of(row) for row in tool_calls]
            ),
            requests=[request_of(row) for row in requests],
            journal=[entry_of(row) for row in journal],
        )

    async def rows_of_runs(self, chat_id: UUID, run_ids: Collection[UUID]) -> RunsRows:
        if not run_ids:
            return RunsRows((), (), ())
        sql, key = self._sql, {"chat_id": chat_id, "run_ids": list(run_ids)}
        oldest = {**key, "oldest": min(run_ids)}
        calls = await self._read(sql.of_runs(sql.tool_call), **oldest) if sql.tool_call else []
        requests = await self._read(sql.of_runs(sql.request), **oldest) if sql.request else []
        return RunsRows(
            runs=[run_of(row) for row in await self._read(sql.some_runs, **key)],
            tool_calls=[tool_call_of(row) for row in calls],
            requests=[request_of(row) for row in requests],
        )

    async def journal(self, message_id: UUID, *, after: int) -> list[JournalEntry]:
        rows = await self._read(self._sql.journal, message_id=message_id, after=after)
        return [entry_of(row) for row in rows]

    async def journal_since(self, positions: Mapping[UUID, int]) -> list[JournalEntry]:
        statement, ordered = self._sql.journal_since(len(positions)), sorted(positions.items())
        keys = {
            name: value
            for place, (message_id, after) in enumerate(ordered)
            for name, value in ((f"message_{place}", message_id), (f"after_{place}", after))
        }
        return [entry_of(row) for row in await self._read(statement, **keys)]


def _oldest_first(found: Any) -> list[Message]:
    return [past_message_of(row) for row in reversed(found.all())]
