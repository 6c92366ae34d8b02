"""What to say where a run's row was not changed, although this process held its lease."""

from __future__ import annotations

from contextlib import suppress
from uuid import UUID

from chatrecord.errors import ChatRecordError

from .journal_store import JournalStore


async def lost_lease(store: JournalStore, run_id: UUID) -> str:
    """Why no row was changed: whether the run can still be seen tells."""
    with suppress(ChatRecordError):
        states = await store.run_states([run_id])
        return taken_over(run_id) if run_id in states else gone(run_id)
    return f"Run {run_id} was taken over by another process, or its chat was deleted"


def taken_over(run_id: UUID) -> str:
    """Its row is there, with another owner or epoch."""
    return f"Run {run_id} was taken over by another process, or was ended"


def gone(run_id: UUID) -> str:
    """There is no such row, as far as this context can see."""
    return (
        f"Run {run_id} is not there: its chat was deleted, or a row-level policy hides it from the "
        "context that writes. With such policies, pass Database(partition=...)"
    )
