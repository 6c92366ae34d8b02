"""The port for reading the messages, tool calls and requests of a chat."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol
from uuid import UUID

from chatrecord.records import (
    ApiRequest,
    Message,
    Run,
    ToolCall,
)

from .rows import RunRows, RunsRows
from .window import Window


class TranscriptStore(Protocol):
    """Reads the messages, tool calls and requests of a chat.

    Each method is its own transaction, unless it says otherwise. A failure raises a
    `ChatRecordError` or the driver's own error, never silently; a database that does not answer
    has failed, too.
    """

    async def get_message(self, chat_id: UUID, message_id: UUID) -> Message | None:
        """This message of the chat."""

    async def first_messages(self, chat_id: UUID, *, limit: int) -> list[Message]:
        """The first valid messages, oldest first."""

    async def last_prompt(self, chat_id: UUID) -> Message | None:
        """The last valid message of the user."""

    async def messages(self, chat_id: UUID, *, limit: int, before: int | None) -> list[Message]:
        """The last messages below the number `before`, oldest first."""

    async def history(
        self, chat_id: UUID, window: Window, *, before: int, with_summary: bool = False
    ) -> list[Message]:
        """As many messages below the number `before` as the window takes, oldest first.

        Superseded ones are left out and take no place. Where no round begins among them, it is the
        whole round that they end. With `with_summary` the last summary of messages below `before`
        comes first, and then only what it does not cover.
        """

    async def summaries(self, chat_id: UUID) -> list[Message]:
        """Every summary of older messages, superseded ones too, oldest first."""

    async def tool_calls(self, chat_id: UUID) -> list[ToolCall]:
        """Every tool call of the chat, oldest first."""

    async def requests(self, chat_id: UUID) -> list[ApiRequest]:
        """Every attempt at a provider, oldest first."""

    async def rows_of(self, run: Run, *, with_journal: bool = True) -> RunRows:
        """Everything a run has written, its journal only where that is wanted."""

    async def rows_of_runs(self, chat_id: UUID, run_ids: Collection[UUID]) -> RunsRows:
        """These runs of the chat, with their tool calls and requests as far as they are kept."""
