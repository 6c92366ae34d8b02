"""What statements and commits something takes, and by which plans."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncConnection

from chatrecord.chats.chat import Chat
from chatrecord.ids import new_id
from chatrecord.records import Run
from chatrecord.sqlalchemy import Database, create_chat
from chatrecord.store.changes import Changes
from chatrecord.testing import Script, call, say
from shared import lengthen


@dataclass
class Counted:
    """What went over the wire."""

    statements: list[tuple[str, Any]] = field(default_factory=list)
    commits: int = 0


@contextmanager
def counting(db: Database[Any]) -> Iterator[Counted]:
    counted = Counted()

    def statement(_c: Any, _cursor: Any, sql: str, parameters: Any, _x: Any, _many: bool) -> None:
        counted.statements.append((sql, parameters))

    def commit(_c: Any) -> None:
        counted.commits += 1

    engine = db.engine.sync_engine
    event.listen(engine, "before_cursor_execute", statement)
    event.listen(engine, "commit", commit)
    try:
        yield counted
    finally:
        event.remove(engine, "before_cursor_execute", statement)
        event.remove(engine, "commit", commit)


async def fill(db: Database[Any], rows: int, chats: int | None = None) -> None:
    """Give every table so many rows that reading it from end to end is not worth while."""
    script = Script([call("add", a=1, b=2)], [say("3")])
    crowd = await create_chat(db, script, tools=[add], user_id="crowd")
    reply = await crowd.ask("1 + 2?")
    await lengthen(db, crowd.id, rows, (await crowd.messages())[-2:])
    (call_row,) = await crowd.tool_calls()
    changes = Changes(crowd.id)
    for _ in range(rows):
        for record in (call_row, finished_run(crowd, reply.run_id)):
            changes.add(replace(record, id=new_id()))
    await db.store.write(changes)
    async with db.engine.begin() as connection:
        piece = {"message_id": reply.message_id, "payload": {}}
        pieces = [{**piece, "seq": n} for n in range(rows)]
        await connection.execute(db.models.chunk.__table__.insert(), pieces)
        table = db.models.chat.__table__
        found = await connection.execute(table.select().where(table.c.id == crowd.id))
        one = dict(found.mappings().one())
        copies = [{**one, "id": new_id()} for _ in range(chats or rows)]
        await connection.execute(table.insert(), copies)
        await _fill_requests(db, connection, [copy["id"] for copy in copies[:rows]])


async def _fill_requests(
    db: Database[Any], connection: AsyncConnection, chat_ids: list[UUID]
) -> None:
    """A request of each chat, over four hundred days.

    They are inserted where they belong: MariaDB counts the place that a moved row has left in an
    index, until it is purged, and takes a day of six requests for one of two thousand.
    """
    table = db.models.request.__table__  # type: ignore[union-attr]
    one = dict((await connection.execute(table.select().limit(1))).mappings().one())
    now = datetime.now(UTC)
    spread = [
        {**one, "id": new_id(), "chat_id": chat_id, "started_at": now - timedelta(days=place % 400)}
        for place, chat_id in enumerate(chat_ids)
    ]
    await connection.execute(table.insert(), spread)


def finished_run(chat: Chat, run_id: UUID) -> Run:
    now = datetime.now(UTC)
    return Run(run_id, chat.id, "complete", "me", 1, now, None, None, None, None, now, now)


def add(a: int, b: int) -> int:
    return a + b


async def analyze(db: Database[Any]) -> None:
    names = ", ".join(table.name for table in db.models.tables)
    statement = f"ANALYZE TABLE {names}" if db.engine.dialect.name == "mysql" else "ANALYZE"
    async with db.engine.connect() as connection:
        await connection.exec_driver_sql(statement)
        await connection.commit()


async def explained(db: Database[Any], sql: str, parameters: Any) -> str:
    explain = "EXPLAIN QUERY PLAN " if db.engine.dialect.name == "sqlite" else "EXPLAIN "
    first = parameters[0] if isinstance(parameters, list) else parameters
    async with db.engine.connect() as connection:
        rows = (await connection.exec_driver_sql(explain + sql, first)).all()
    return "\n".join(" | ".join(str(column) for column in row) for row in rows)


def scanned(db: Database[Any], plan: str) -> list[str]:
    """The tables that a plan reads from end to end."""
    name = db.engine.dialect.name
    if name == "postgresql":
        return re.findall(r"Seq Scan on (\w+)", plan)
    if name == "sqlite":
        return re.findall(r"SCAN (llm_\w+\b)(?! USING)", plan)
    lines = [line for line in plan.splitlines() if not line.endswith(" | 1 | Using index")]
    found = r"(?<!INSERT) \| (\w+) \| (?:None \| )?(?:ALL|index) "
    return re.findall(found, "\n".join(lines))
