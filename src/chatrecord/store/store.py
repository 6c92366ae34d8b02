"""The ports to a database together."""

from __future__ import annotations

from typing import Protocol

from .branch_store import BranchStore
from .chat_file_store import ChatFileStore
from .chat_row_store import ChatRowStore
from .chat_store import ChatStore
from .deleted_chat_store import DeletedChatStore
from .event_store import EventStore
from .feedback_store import FeedbackStore
from .journal_store import JournalStore
from .lookup_store import LookupStore
from .run_queue_store import RunQueueStore
from .run_store import RunStore
from .search_store import SearchIndexStore, SearchStore, VectorStore
from .shown_store import ShownStore
from .spending_store import SpendingStore
from .transcript_store import TranscriptStore
from .transfer_store import TransferStore


class Store(
    ChatStore,
    ChatRowStore,
    DeletedChatStore,
    RunStore,
    RunQueueStore,
    JournalStore,
    TranscriptStore,
    SpendingStore,
    SearchStore,
    SearchIndexStore,
    VectorStore,
    ChatFileStore,
    LookupStore,
    TransferStore,
    EventStore,
    BranchStore,
    FeedbackStore,
    Protocol,
):
    """All roles together: what an adapter for a database implements, role by role."""

    @property
    def shown(self) -> ShownStore:
        """What reads what is only shown: this, or something that asks a replica."""

    async def close(self) -> None:
        """Give back every connection."""
