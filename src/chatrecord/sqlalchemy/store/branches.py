"""The branches of a chat: read as an outline, restored, and copied."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import islice
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from chatrecord.attachments.embedded_files import referred_to
from chatrecord.errors import ChatNotFound, ConfigurationError, DatabaseFailed
from chatrecord.ids import new_id
from chatrecord.records import ChatRecord, Message, Run, ToolCall
from chatrecord.sqlalchemy.engine.connections import Connections
from chatrecord.sqlalchemy.generics import Query, Row
from chatrecord.store.branch_store import (
    Fork,
    MessageHead,
    Outline,
    Restoration,
    Restored,
    RunHead,
)
from chatrecord.store.changes import RunRecord

from .rows import message_of, run_of, tool_call_of
from .transfer import exists, insert_whole_chat, is_repeated

_BATCH = 500
"""Ids in a statement."""

_OF_ITS_CHAT = ("replaces", "client", "question")
"""Settings of a run that say something of its chat alone."""


class StoredBranches(Connections):
    """What `chatrecord.store` says of branches."""

    async def outline(self, chat_id: UUID) -> Outline:
        key = {"chat_id": chat_id}
        async with self.snapshot() as connection:
            chat = (await connection.execute(self._sql.get_chat({}), key)).mappings().first()
            messages = (await connection.execute(self._sql.message_heads, key)).mappings().all()
            runs = (await connection.execute(self._sql.run_heads, key)).mappings().all()
        if chat is None:
            msg = f"There is no chat {chat_id} here"
            raise ChatNotFound(msg)
        return Outline(
            messages=[MessageHead(**row) for row in messages],
            runs={row["id"]: _run_head(row) for row in runs},
            restored=[_restored(each) for each in chat.get("restored") or ()],
            next_seq=chat["next_seq"],
        )

    async def messages_of_ids(
        self, chat_id: UUID, message_ids: Sequence[UUID]
    ) -> Mapping[UUID, Message]:
        if not message_ids:
            return {}
        these = self._sql.some_of_chat(self._sql.message)

        async def read(connection: AsyncConnection) -> list[Row]:
            return await _some(connection, these, chat_id, message_ids)

        rows = await self._retried(lambda: self.read_by(read))
        return {row["id"]: message_of(row) for row in rows}

    async def restore(self, chat_id: UUID, restoration: Restoration) -> bool:
        self._check_branches()
        return await self._retried(lambda: self._restore(chat_id, restoration))

    async def _restore(self, chat_id: UUID, restoration: Restoration) -> bool:
        sql, of_chat = self._sql, {"of_chat": chat_id}
        noted = {
            "row_id": chat_id,
            "still_next": restoration.next_seq,
            "new_restored": [each.json for each in restoration.restored],
        }
        statuses = [
            {"row_id": message_id, "new_status": status}
            for message_id, status in restoration.statuses.items()
        ]
        with suppress(_NotStill):
            async with self.transaction() as connection:
                if not (await connection.execute(sql.note_restored, noted)).rowcount:
                    raise _NotStill
                if (await connection.execute(sql.active, {"chat_id": chat_id})).first():
                    raise _NotStill
                await connection.execute(sql.message.update("status"), statuses)
                changed = {**of_chat, "first": restoration.first}
                await connection.execute(sql.supersede_summaries, changed)
                return True
        return False

    def _check_branches(self) -> None:
        if "restored" not in self._sql.chat.columns:
            msg = (
                f"{self._sql.chat.table.name} has no column for restored branches: leave "
                "`restored` in its class, and migrate"
            )
            raise ConfigurationError(msg)

    async def fork(self, fork: Fork) -> ChatRecord:
        records = await self._copies(fork)
        have_table = self._sql.attachment is not None
        files = sorted({it for each in records for it in _files_of(each)}) if have_table else []
        try:
            async with self.attachments.copied_ahead(fork.source, fork.chat.id, files):
                return await self._retried(
                    lambda: self._insert_fork(fork, records, files), only_undone=True
                )
        except DatabaseFailed as error:
            if is_repeated(error.__cause__):
                raise exists(fork.chat.id) from error
            raise

    async def _copies(self, fork: Fork) -> list[RunRecord]:
        """The rows of the copy, in the order in which they are inserted."""
        sql = self._sql
        async with self.snapshot() as connection:
            runs = await _some(connection, sql.some_of_chat(sql.run), fork.source, fork.runs)
            messages = await _some(
                connection, sql.some_of_chat(sql.message), fork.source, fork.messages
            )
            calls: list[Row] = []
            if sql.tool_call is not None:
                of_messages = sql.some_of_chat(sql.tool_call, by="message_id")
                calls = await _some(connection, of_messages, fork.source, fork.messages)
        copied = sorted((_message(fork, row) for row in messages), key=lambda it: it.seq)
        return [*(_run(fork, row) for row in runs), *copied, *(_call(fork, row) for row in calls)]

    async def _insert_fork(
        self, fork: Fork, records: Sequence[RunRecord], files: Sequence[str]
    ) -> ChatRecord:
        async with self.long_transaction() as connection:
            stored = await insert_whole_chat(
                self._sql, self.attachments, connection, fork.chat, records
            )
            for file_hash in files:
                copied = {
                    "new_id": new_id(),
                    "to_chat": fork.chat.id,
                    "of_chat": fork.source,
                    "of_hash": file_hash,
                }
                await connection.execute(self._sql.copy_file, copied)
            return stored


class _NotStill(Exception):
    """The chat has gone on: nothing is changed."""


async def _some(
    connection: AsyncConnection, statement: Query, chat_id: UUID, ids: Iterable[UUID]
) -> list[Row]:
    found: list[Row] = []
    remaining = iter(ids)
    while batch := list(islice(remaining, _BATCH)):
        these = {"chat_id": chat_id, "ids": batch}
        found += (await connection.execute(statement, these)).mappings().all()
    return found


def _run(fork: Fork, row: Row) -> Run:
    run = run_of(row)
    settings = run.settings
    if isinstance(settings, dict):
        settings = {name: it for name, it in settings.items() if name not in _OF_ITS_CHAT} or None
    return replace(
        run,
        id=fork.runs[run.id],
        chat_id=fork.chat.id,
        idempotency_key=None,
        settings=settings,
    )


def _message(fork: Fork, row: Row) -> Message:
    message = message_of(row)
    return replace(
        message,
        id=fork.messages[message.id],
        chat_id=fork.chat.id,
        run_id=_run_id(fork, message),
        status=fork.statuses[message.id],
    )


def _call(fork: Fork, row: Row) -> ToolCall:
    call = tool_call_of(row)
    return replace(
        call,
        id=new_id(),
        chat_id=fork.chat.id,
        run_id=_run_id(fork, call),
        message_id=fork.messages[call.message_id],
    )


def _run_id(fork: Fork, record: Message | ToolCall) -> UUID | None:
    return None if record.run_id is None else fork.runs.get(record.run_id)


def _files_of(record: RunRecord) -> Iterator[str]:
    if isinstance(record, Message):
        yield from referred_to(record.content)
    elif isinstance(record, ToolCall):
        yield from referred_to(record.result)


def _run_head(row: Row) -> RunHead:
    settings = row["settings"]
    replaces = settings.get("replaces") if isinstance(settings, dict) else None
    is_number = isinstance(replaces, int)
    return RunHead(
        id=row["id"],
        status=row["status"],
        error=row["error"],
        replaces=replaces if is_number else None,
        epoch=row["epoch"],
    )


def _restored(noted: Mapping[str, Any]) -> Restored:
    return Restored(noted["before"], [(first, last) for first, last in noted["current"]])
