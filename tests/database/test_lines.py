"""A place in line is taken once, also where nobody hears that it was."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from sqlalchemy import func, insert, select

from chatrecord.ids import new_id
from chatrecord.records import Run
from chatrecord.sqlalchemy import Database, create_chat
from chatrecord.testing import Script


async def test_a_place_in_line_whose_commit_was_not_heard_of_is_kept(home: Database) -> None:
    """The first try is committed by the server only while it is tried again."""
    chat, now = await create_chat(home, Script()), datetime.now(UTC)
    run = Run(
        id=new_id(), chat_id=chat.id, status="waiting", owner="me", epoch=1,
        lease_until=now + timedelta(seconds=30), idempotency_key=None, instructions=None,
        settings=None, error=None, started_at=now, finished_at=None,
    )  # fmt: skip
    rows = home.models.run.__table__
    row = {name: getattr(run, name) for name in Run.__slots__}  # type: ignore[attr-defined]
    async with home.engine.connect() as connection:
        await connection.execute(insert(rows).values({**row, "stop_requested": False}))
        again = asyncio.ensure_future(home.store.stand_in_line(run))
        await asyncio.sleep(0.3)
        await connection.commit()
        await again
        places = select(func.count()).select_from(rows).where(rows.c.chat_id == chat.id)
        assert (await connection.execute(places)).scalar_one() == 1
