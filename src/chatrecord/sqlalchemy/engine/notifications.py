"""Word from other processes that a run has news, where the database passes it on: PostgreSQL.

Ids only, and one notification a flush for all runs of a process: a notification makes its commit
wait for every other that carries one.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Dialect

CHANNEL = "chatrecord"

_MOST = 200
"""Ids in a notice, which holds less than 8,000 bytes. More are not named."""


def can_tell(dialect: Dialect) -> bool:
    """Whether this database passes notices on."""
    return dialect.name == "postgresql"


def payload(run_ids: Sequence[UUID]) -> str:
    """What a notice says."""
    return " ".join(run_id.hex for run_id in run_ids) if len(run_ids) <= _MOST else ""
