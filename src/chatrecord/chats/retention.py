"""Deletion of chats that were not used for some time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import get_args

from chatrecord.runs.process import Backend
from chatrecord.store.chat_store import Audit, Scope

from . import opening as chats

BATCH = 1000
"""Chats that are deleted in one transaction."""


async def purge(
    backend: Backend, older_than: timedelta | datetime, audit: Audit, scope: Scope
) -> int:
    """Delete the chats in the scope that are idle since `older_than`. Returns how many.

    Without a scope also the events from before that.
    """
    before = moment_of(older_than)
    check_audit(audit)
    await chats.repair(backend)  # the run of a dead process would block its chat
    erased = 0
    while ids := await backend.store.idle_chats(before, scope, limit=BATCH):
        gone = await backend.store.erase_idle_chats(ids, before, audit)
        erased += gone
        if not gone:  # all of them are in use by now: the next purge will see
            break
    if not scope:
        await backend.store.purge_events(before)
    return erased


def check_audit(audit: object) -> None:
    """Raise `ValueError` for an unknown choice."""
    if audit not in get_args(Audit):
        msg = f"audit= is one of {', '.join(map(repr, get_args(Audit)))}, not {audit!r}"
        raise ValueError(msg)


def moment_of(older_than: object, name: str = "older_than") -> datetime:
    """The moment itself, or so long ago. Raises `ValueError` for anything else."""
    if isinstance(older_than, timedelta) and older_than >= timedelta(0):
        return datetime.now(UTC) - older_than
    if isinstance(older_than, datetime) and older_than.tzinfo is not None:
        return older_than
    msg = (
        f"{name}= takes a time span such as timedelta(days=90), or a moment with a time zone, "
        f"not {older_than!r}"
    )
    raise ValueError(msg)
