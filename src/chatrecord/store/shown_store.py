"""The port to what is only shown."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from chatrecord.attachments.attachment import Attachment
from chatrecord.attachments.embedded_files import ChatFile
from chatrecord.records import ApiRequest, ChatRecord, Message, ToolCall, Usage
from chatrecord.spending.reports import Span, UsageRow

from .changes import StoredRow
from .chat_store import Scope
from .lookup_store import LookupStore
from .rows import RunsRows
from .search_store import SearchStore


class ShownStore(SearchStore, LookupStore, Protocol):
    """What is shown to people and decides nothing: it may be read from a copy that lags behind.

    Its methods are those of the other roles. What this process has just written is in them.
    """

    async def list_chats(
        self,
        *,
        limit: int,
        before: tuple[datetime, UUID] | None,
        scope: Scope,
        search: str | None = None,
    ) -> list[ChatRecord]:
        """See `ChatStore`."""

    async def messages(self, chat_id: UUID, *, limit: int, before: int | None) -> list[Message]:
        """See `TranscriptStore`."""

    async def summaries(self, chat_id: UUID) -> list[Message]:
        """See `TranscriptStore`."""

    async def tool_calls(self, chat_id: UUID) -> list[ToolCall]:
        """See `TranscriptStore`."""

    async def requests(self, chat_id: UUID) -> list[ApiRequest]:
        """See `TranscriptStore`."""

    async def rows_of_runs(self, chat_id: UUID, run_ids: Collection[UUID]) -> RunsRows:
        """See `TranscriptStore`."""

    async def attachment(self, chat_id: UUID, file_hash: str) -> Attachment | None:
        """See `ChatFileStore`."""

    async def usage(self, chat_id: UUID) -> Usage:
        """See `SpendingStore`."""

    async def report(
        self,
        by: Sequence[str],
        span: Span,
        scope: Scope,
        *,
        percentiles: bool = False,
        most: int | None = None,
    ) -> list[UsageRow]:
        """See `SpendingStore`."""

    def rows_of_chat(
        self, chat_id: UUID, scope: Scope
    ) -> AsyncGenerator[ChatRecord | StoredRow | ChatFile]:
        """See `TransferStore`."""
