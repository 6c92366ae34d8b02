"""The store of a primary that has a replica: what is written through it is noted."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

from chatrecord.attachments.embedded_files import ChatFile
from chatrecord.feedback import Feedback
from chatrecord.records import ApiRequest, ChatRecord, Message, Run, ToolCallStatus
from chatrecord.store.branch_store import Fork, Restoration
from chatrecord.store.changes import BudgetCheck, Changes, JournalEntry, Lease, StoredRow
from chatrecord.store.chat_store import Audit, Scope
from chatrecord.store.rows import Begun, RunStart

from .last_writes import LastWrites
from .store import SqlStore

_COMMITTED_WITHIN = 10.0
"""Seconds that a transaction of the application's is given to commit."""


class NotedStore(SqlStore):
    """Notes which chats are written, also where that fails: it may have been written."""

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self.written = LastWrites()

    def reset_after_fork(self) -> None:
        super().reset_after_fork()
        self.written = LastWrites()

    async def get_chat(self, chat_id: UUID, scope: Scope) -> ChatRecord | None:
        return self._learnt(await super().get_chat(chat_id, scope))

    async def insert_chat(
        self, chat: ChatRecord, *, connection: object | None = None
    ) -> ChatRecord:
        within = 0.0 if connection is None else _COMMITTED_WITHIN
        async with self._noting(chat.id, within=within):
            stored = await super().insert_chat(chat, connection=connection)
            self._learnt(stored)
            return stored

    async def update_chat(
        self,
        chat_id: UUID,
        changes: Mapping[str, object],
        scope: Scope,
        *,
        only_untitled: bool = False,
    ) -> ChatRecord | None:
        async with self._noting(chat_id):
            return self._learnt(
                await super().update_chat(chat_id, changes, scope, only_untitled=only_untitled)
            )

    async def rewrite_chat(
        self,
        chat: ChatRecord,
        messages: Sequence[Message],
        still: Callable[[ChatRecord], bool],
    ) -> bool:
        async with self._noting(chat.id):
            return await super().rewrite_chat(chat, messages, still)

    async def fork(self, fork: Fork) -> ChatRecord:
        async with self._noting(fork.chat.id):
            forked = await super().fork(fork)
            self.written.learn(forked)
            return forked

    async def restore(self, chat_id: UUID, restoration: Restoration) -> bool:
        async with self._noting(chat_id):
            return await super().restore(chat_id, restoration)

    async def put_feedback(self, feedback: Feedback) -> Feedback:
        async with self._noting(feedback.chat_id):
            return await super().put_feedback(feedback)

    async def delete_feedback(self, chat_id: UUID, message_id: UUID, owner: str) -> bool:
        async with self._noting(chat_id):
            return await super().delete_feedback(chat_id, message_id, owner)

    async def delete_chat(self, chat_id: UUID, scope: Scope, audit: Audit = "delete") -> bool:
        async with self._noting(chat_id):
            return await super().delete_chat(chat_id, scope, audit)

    async def hide_chat(self, chat_id: UUID, scope: Scope, now: datetime) -> bool:
        async with self._noting(chat_id):
            return await super().hide_chat(chat_id, scope, now)

    async def unhide_chat(self, chat_id: UUID, scope: Scope) -> bool:
        async with self._noting(chat_id):
            return await super().unhide_chat(chat_id, scope)

    async def erase_idle_chats(
        self, chat_ids: Sequence[UUID], before: datetime, audit: Audit
    ) -> int:
        async with self._noting(*chat_ids):
            return await super().erase_idle_chats(chat_ids, before, audit)

    async def insert_whole_chat(
        self, chat: ChatRecord, rows: Sequence[StoredRow | ChatFile]
    ) -> ChatRecord:
        async with self._noting(chat.id):
            stored = await super().insert_whole_chat(chat, rows)
            self._learnt(stored)
            return stored

    async def begin(self, start: RunStart) -> Begun:
        async with self._noting_run(start.run):
            return await super().begin(start)

    async def claim(self, run: Run, *, owner: str, now: datetime, until: datetime) -> Run | None:
        async with self._noting_run(run):
            return await super().claim(run, owner=owner, now=now, until=until)

    async def reopen(self, run: Run, *, owner: str, until: datetime) -> Run | None:
        async with self._noting_run(run):
            return await super().reopen(run, owner=owner, until=until)

    async def submit_run(
        self, run: Run, prompt: Message | None, *, connection: object | None = None
    ) -> UUID:
        within = 0.0 if connection is None else _COMMITTED_WITHIN
        async with self._noting(run.chat_id, within=within):
            run_id = await super().submit_run(run, prompt, connection=connection)
            self.written.note_run(run_id, run.chat_id)
            return run_id

    async def enqueue_run(self, run: Run, prompt: Message | None = None) -> None:
        async with self._noting_run(run):
            await super().enqueue_run(run, prompt)

    async def end_queued(self, run: Run, why: str) -> bool:
        async with self._noting_run(run):
            return await super().end_queued(run, why)

    async def requeue_run(self, run: Run) -> bool:
        async with self._noting_run(run):
            return await super().requeue_run(run)

    async def dequeue_run(self, run: Run) -> None:
        async with self._noting_run(run):
            await super().dequeue_run(run)

    async def write(self, changes: Changes) -> None:
        async with self._noting(changes.chat_id):
            await super().write(changes)

    async def reserve(
        self, request: ApiRequest, lease: Lease | None, checks: Sequence[BudgetCheck]
    ) -> bool:
        async with self._noting(*([] if request.chat_id is None else [request.chat_id])):
            return await super().reserve(request, lease, checks)

    async def decide(
        self, chat_id: UUID, call_id: str, *, status: ToolCallStatus, error: str | None
    ) -> bool:
        async with self._noting(chat_id):
            return await super().decide(chat_id, call_id, status=status, error=error)

    async def flush(
        self,
        news: Mapping[Lease, Sequence[JournalEntry]],
        *,
        renew: Collection[UUID] | None = None,
    ) -> Mapping[UUID, bool]:
        try:
            return await super().flush(news, renew=renew)
        finally:
            self.written.note_runs([lease.run_id for lease, entries in news.items() if entries])

    def _learnt(self, chat: ChatRecord | None) -> ChatRecord | None:
        if chat is not None:
            self.written.learn(chat)
        return chat

    @asynccontextmanager
    async def _noting(self, *chat_ids: UUID, within: float = 0.0) -> AsyncIterator[None]:
        try:
            yield
        finally:
            for chat_id in chat_ids:
                self.written.note(chat_id, within=within)

    @asynccontextmanager
    async def _noting_run(self, run: Run) -> AsyncIterator[None]:
        try:
            yield
        finally:
            self.written.note_run(run.id, run.chat_id)
