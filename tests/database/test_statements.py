"""What a turn costs the database: few statements, whatever the length of the chat, all by index."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event

from chatrecord import Compact
from chatrecord.chats.chat import Chat
from chatrecord.ids import new_id
from chatrecord.records import Run
from chatrecord.runs import journal
from chatrecord.sqlalchemy import Database, create_chat, list_chats, load_chat
from chatrecord.store.changes import Changes
from chatrecord.store.window import Window
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


async def fill(db: Database[Any], rows: int) -> None:
    """Give every table so many rows that reading it from end to end is not worth while."""
    script = Script([call("add", a=1, b=2)], [say("3")])
    crowd = await create_chat(db, script, tools=[add], user_id="crowd")
    reply = await crowd.ask("1 + 2?")
    await lengthen(db, crowd.id, rows, (await crowd.messages())[-2:])
    (call_row,), (request, _) = await crowd.tool_calls(), await crowd.requests()
    changes = Changes(crowd.id)
    for _ in range(rows):
        for record in (call_row, request, finished_run(crowd, reply.run_id)):
            changes.add(replace(record, id=new_id()))
    await db.store.write(changes)
    async with db.engine.begin() as connection:
        piece = {"message_id": reply.message_id, "payload": {}}
        pieces = [{**piece, "seq": n} for n in range(rows)]
        await connection.execute(db.models.chunk.__table__.insert(), pieces)
        chats = db.models.chat.__table__
        found = await connection.execute(chats.select().where(chats.c.id == crowd.id))
        one = dict(found.mappings().one())
        await connection.execute(chats.insert(), [{**one, "id": new_id()} for _ in range(rows)])


def finished_run(chat: Chat, run_id: UUID) -> Run:
    now = datetime.now(UTC)
    return Run(run_id, chat.id, "complete", "me", 1, now, None, None, None, None, now, now)


@pytest.mark.parametrize("length", [0, 2000])
async def test_a_plain_turn_is_two_commits_and_at_most_eight_statements(
    backend: Database[Any], length: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside the journal, whose ticks depend on how long the provider takes."""
    monkeypatch.setattr(journal, "FLUSH_SECONDS", 60)
    chat = await create_chat(
        backend, Script([say("hello")], [say("again")]), window=Window(messages=50)
    )
    await chat.ask("warm up")
    await lengthen(backend, chat.id, length, await chat.messages())

    with counting(backend) as counted:
        await chat.ask("Hi!")

    assert counted.commits == 2
    assert len(counted.statements) <= 8, [sql for sql, _ in counted.statements]


async def test_a_turn_of_a_compacted_chat_is_one_statement_more(
    backend: Database[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "FLUSH_SECONDS", 60)
    compact = Compact(above=200, keep=1, llm=Script([say("gist")]))
    script = Script(*[[say("word " * 60)] for _ in range(4)], [say("short")])
    chat = await create_chat(backend, script, compact=compact)
    for _ in range(4):
        await chat.ask("Hi!")
    assert len(await chat.summaries()) == 1

    with counting(backend) as counted:
        await chat.ask("Hi!")

    assert counted.commits == 2
    assert len(counted.statements) <= 9, [sql for sql, _ in counted.statements]


async def test_no_query_of_a_turn_scans_a_table(backend: Database[Any]) -> None:
    script = Script([say("hello")], [call("add", a=1, b=2)], [say("3")])
    chat = await create_chat(
        backend, script, tools=[add], user_id="scan", window=Window(messages=20)
    )
    await chat.ask("warm up")
    await lengthen(backend, chat.id, 2000, (await chat.messages())[-2:])
    await fill(backend, 2000)
    await analyze(backend)

    with counting(backend) as counted:
        loaded = await load_chat(backend, script, chat.id, user_id="scan", tools=[add])
        await loaded.ask("1 + 2?", idempotency_key="k")
        await loaded.messages()
        await loaded.messages(before=50)
        await loaded.tool_calls()
        await loaded.requests()
        await loaded.usage()
        await backend.store.rows_of_runs(
            chat.id, [r.run_id for r in await loaded.messages() if r.run_id]
        )
        await backend.store.run_of_key(chat.id, "k")
        await list_chats(backend, user_id="scan")
        await list_chats(backend, user_id="scan", search="50%")
        await loaded.rename("50% off")
        compact = Compact(above=1000, keep=1, llm=Script([say("gist")]))
        script.then([say("compacted")], [say("anew")])
        compacted = await load_chat(backend, script, chat.id, user_id="scan", compact=compact,
                                    window=Window(messages=20))  # fmt: skip
        await compacted.ask("And now?")
        await compacted.regenerate()
        assert len(await compacted.summaries()) == 1
        await compacted.generate_title(llm=Script([say("Sums")]))

    assert len(counted.statements) > 12
    for sql, parameters in counted.statements:
        plan = await explained(backend, sql, parameters)
        assert not scanned(backend, plan), f"{sql}\n{plan}"


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
    return re.findall(r"(?<!INSERT) \| (\w+) \| (?:None \| )?(?:ALL|index) ", plan)


@pytest.fixture(autouse=True)
async def _told_apart(backend: Database[Any]) -> AsyncIterator[None]:
    """A plan that does scan is recognised, or the test above could not fail."""
    sql = "SELECT id FROM llm_messages WHERE status = 'nowhere'"
    assert scanned(backend, await explained(backend, sql, ())) == ["llm_messages"]
    yield
