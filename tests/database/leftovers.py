"""What the runs of a process have left behind, in the database and in memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select

from chatrecord.sqlalchemy import Database


@dataclass(frozen=True)
class Leftovers:
    """Nothing of it is to be left once every run has ended."""

    journal_rows: int = 0
    active_runs: int = 0
    streaming_messages: int = 0
    open_tool_calls: int = 0
    open_requests: int = 0
    live: int = 0
    registered: int = 0
    connections: int = 0


async def leftovers(db: Database) -> Leftovers:
    """What the runs that this Database has begun have left."""
    models, journal = db.models, db.runtime.journal
    run, message = models.run.__table__, models.message.__table__
    runs = select(run.c.id).where(run.c.owner == journal.owner)
    messages = select(message.c.id).where(message.c.run_id.in_(runs))

    async def count(table: Any, *conditions: Any) -> int:
        found = await connection.execute(select(func.count()).select_from(table).where(*conditions))
        return int(found.scalar_one())

    chunk, call = models.chunk.__table__, models.tool_call.__table__
    request = models.request.__table__
    open_call = call.c.status.in_(["pending", "running"])
    pool: Any = db.engine.pool
    checked_out = pool.checkedout()
    async with db.engine.connect() as connection:
        return Leftovers(
            journal_rows=await count(chunk, chunk.c.message_id.in_(messages)),
            active_runs=await count(run, run.c.active_chat_id.is_not(None), run.c.id.in_(runs)),
            streaming_messages=await count(
                message, message.c.status == "streaming", message.c.run_id.in_(runs)
            ),
            open_tool_calls=await count(call, call.c.run_id.in_(runs), open_call),
            open_requests=await count(
                request, request.c.run_id.in_(runs), request.c.status == "running"
            ),
            live=len(journal._live),
            registered=len(journal._registered),
            connections=checked_out,
        )
