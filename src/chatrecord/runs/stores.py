"""The roles of a database that each part of a run needs."""

from __future__ import annotations

from typing import Protocol

from chatrecord.store.chat_file_store import ChatFileStore
from chatrecord.store.event_store import EventStore
from chatrecord.store.journal_store import JournalStore
from chatrecord.store.run_queue_store import RunQueueStore
from chatrecord.store.run_store import RunStore
from chatrecord.store.spending_store import SpendingStore
from chatrecord.store.transcript_store import TranscriptStore


class FollowerStore(JournalStore, TranscriptStore, Protocol):
    """What a run is read from while it is written elsewhere."""


class RepairStore(RunStore, RunQueueStore, TranscriptStore, Protocol):
    """Where dead runs are found, taken over and ended."""


class BudgetStore(SpendingStore, EventStore, Protocol):
    """What spending is counted in, and told of."""


class LiveRunStore(RunStore, RunQueueStore, TranscriptStore, BudgetStore, ChatFileStore, Protocol):
    """Where a run begins, is written and ends, with its history and files."""


class LedgerStore(RunStore, BudgetStore, Protocol):
    """What requests are written to, and counted by."""
