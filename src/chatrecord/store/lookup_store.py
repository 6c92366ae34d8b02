"""The port for those who look after an application: chats and requests found by how they went."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Literal, Protocol
from uuid import UUID

from chatrecord.records import ApiRequest, ChatRecord, RequestStatus, RunStatus, Usage
from chatrecord.spending.reports import Span

from .chat_store import Scope

RequestOrder = Literal["started_at", "latency_ms", "first_token_ms", "cost"]
"""What requests are ordered by: the latest, the slowest or the dearest first."""


@dataclass(frozen=True, slots=True)
class ChatFilter:
    """What a chat must have: a call of this tool, a run of this status, this cost. `None`: any.

    `min_cost` is in US dollars, the sum of the known costs of all requests of the chat.
    """

    tool: str | None = None
    status: RunStatus | None = None
    min_cost: Decimal | None = None


@dataclass(frozen=True, slots=True)
class RequestFilter:
    """Which requests: those of this time, status, model and chat. `None`: any.

    With `outside_runs`, those that no run has made, such as for titles.
    """

    span: Span = field(default_factory=Span)
    status: RequestStatus | None = None
    model: str | None = None
    chat_id: UUID | None = None
    outside_runs: bool = False


@dataclass(frozen=True, slots=True)
class FoundChats:
    """Chats that were found, and the key to look further from; `None` if there are no more."""

    chats: list[ChatRecord]
    next: tuple[datetime, UUID] | None


class LookupStore(Protocol):
    """Chats and requests found by how they went.

    Each method is its own transaction, unless it says otherwise. A failure raises a
    `ChatRecordError` or the driver's own error, never silently; a database that does not answer
    has failed, too.
    """

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
        """Chats that pass the filter, newest activity first.

        No more than `among` chats are looked at, however few of them pass.
        """

    async def list_requests(
        self,
        where: RequestFilter,
        *,
        order_by: RequestOrder,
        limit: int,
        before: ApiRequest | None,
        scope: Scope,
    ) -> list[ApiRequest]:
        """Requests that pass the filter, the highest first, after the request `before`.

        Those without a value to order by are left out.
        """

    async def chats_by_id(
        self, chat_ids: Collection[UUID], scope: Scope
    ) -> Mapping[UUID, ChatRecord]:
        """Those of these chats that are within the scope."""

    async def usage_by_chat(self, chat_ids: Collection[UUID]) -> Mapping[UUID, Usage]:
        """What these chats have used; those without a request are left out."""
