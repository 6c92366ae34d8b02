"""A place in line is taken once, also where nobody hears that it was."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, insert, select

from chatrecord.errors import LeaseLost
from chatrecord.ids import new_id
from chatrecord.records import Run
from chatrecord.sqlalchemy import Database, create_chat
from chatrecord.testing import Script


def waiting_run(chat_id: UUID) -> Run:
    now = datetime.now(UTC)
    return Run(
        id=new_id(), chat_id=chat_id, status="waiting", owner="me", epoch=1,
        lease_until=now + timedelta(seconds=30), idempotency_key=None, instructions=None,
        settings=None, error=None, started_at=now, finished_at=None,
    )  # fmt: skip


def row_of(run: Run) -> dict[str, object]:
    names = Run.__slots__  # type: ignore[attr-defined]
    return {**{name: getattr(run, name) for name in names}, "stop_requested": False}


async def test_a_place_in_line_whose_commit_was_not_heard_of_is_kept(backend: Database) -> None:
    """The first try is committed by the server only while it is tried again."""
    chat = await create_chat(backend, Script())
    run = waiting_run(chat.id)
    rows = backend.models.run.__table__
    async with backend.engine.connect() as connection:
        await connection.execute(insert(rows).values(row_of(run)))
        again = asyncio.ensure_future(backend.store.enqueue_run(run))
        await asyncio.sleep(0.3)
        await connection.commit()
        await again
        places = select(func.count()).select_from(rows).where(rows.c.chat_id == chat.id)
        assert (await connection.execute(places)).scalar_one() == 1


async def test_a_run_that_began_unheard_and_was_ended_by_another_is_lost(backend: Database) -> None:
    """Its commit came through, its answer did not, and its lease was over before the next try."""
    chat = await create_chat(backend, Script())
    run = waiting_run(chat.id)
    ended = replace(run, owner="a repairer", status="interrupted", finished_at=run.started_at)
    async with backend.engine.begin() as connection:
        await connection.execute(insert(backend.models.run.__table__).values(row_of(ended)))

    with pytest.raises(LeaseLost, match="ended by another process"):
        await backend.store.enqueue_run(run)
