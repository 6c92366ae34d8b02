"""All statements for one set of models."""

from __future__ import annotations

from .branches import BranchStatements
from .events import EventStatements
from .flush import FlushStatements
from .journal import JournalStatements
from .leases import LeaseStatements
from .messages import MessageStatements
from .run_queue import RunQueueStatements
from .runs import RunStatements
from .spending import SpendingStatements
from .usage_days import UsageDayStatements


class Statements(
    BranchStatements,
    RunQueueStatements,
    RunStatements,
    LeaseStatements,
    MessageStatements,
    JournalStatements,
    FlushStatements,
    SpendingStatements,
    UsageDayStatements,
    EventStatements,
):
    """The statements for one set of models, built once and then kept."""
