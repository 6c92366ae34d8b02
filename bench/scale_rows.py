"""Rows for many chats, made by the database itself: one statement a table.

Chats are spread over the year that ends now. Each has five questions with their answers, a tool
call, and five requests. Every twentieth chat is one user's; the others have fifty each.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Index, MetaData, text
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.schema import AddConstraint, DropConstraint

from chatrecord.sqlalchemy.tables import READY_MADE
from shared import TEXT

YEAR = timedelta(days=365)
ANSWER = TEXT[:220]
TOPICS = (
    "travel",
    "leave",
    "insurance",
    "parking",
    "salary",
    "the home office",
    "training",
    "desks",
)
PARTS = '{"parts": [{"content": "'
KIND = '"}], "timestamp": "2026-11-23T10:00:00Z", "kind": "'
SETTINGS = """'{"tools": []}'"""
ARGUMENTS = """'{"query": "trains"}'"""
FOUND = """'["second class"]'"""
FEW = "u7"
"""A user of few chats."""
MANY = "heavy"
"""The user of every twentieth chat."""


@dataclass(frozen=True)
class Sql:
    """How a database spells what the statements need."""

    is_sqlite: bool
    chats: int

    @property
    def true(self) -> str:
        return "1" if self.is_sqlite else "true"

    @property
    def false(self) -> str:
        return "0" if self.is_sqlite else "false"

    @property
    def first(self) -> int:
        return int((datetime.now(UTC) - YEAR).timestamp() * 1000)

    @property
    def step(self) -> int:
        """Milliseconds between two chats."""
        return int(YEAR.total_seconds() * 1000 / self.chats)

    def series(self, name: str, first: int, last: int) -> str:
        if not self.is_sqlite:
            return f"generate_series({first}::bigint, {last}::bigint) {name}"
        return (
            f"(WITH RECURSIVE s(v) AS (SELECT {first} UNION ALL SELECT v + 1 FROM s "
            f"WHERE v < {last}) SELECT v AS {name} FROM s) {name}"
        )

    def uuid(self, milliseconds: str, kind: int, number: str) -> str:
        if self.is_sqlite:
            return f"printf('%012x7%03x8%015x', {milliseconds}, {kind}, {number})"
        return (
            f"(lpad(to_hex({milliseconds}), 12, '0') || '7{kind:03x}8' || "
            f"lpad(to_hex({number}), 15, '0'))::uuid"
        )

    def time(self, milliseconds: str) -> str:
        if self.is_sqlite:
            return f"strftime('%Y-%m-%d %H:%M:%f000', ({milliseconds}) / 1000.0, 'unixepoch')"
        return f"to_timestamp(({milliseconds}) / 1000.0)"

    def json(self, value: str, kind: str = "json") -> str:
        return value if self.is_sqlite else f"({value})::{kind}"


async def fill(engine: AsyncEngine, chats: int) -> None:
    """Write the rows of so many chats into empty tables, and have the database look at them."""
    sql = Sql(engine.dialect.name == "sqlite", chats)
    async with engine.begin() as connection:
        await connection.run_sync(_without_indexes, sql)
        for statement in statements(sql):
            await connection.exec_driver_sql(statement)
        await connection.run_sync(_with_indexes, sql)
    async with engine.connect() as connection:
        quiet = await connection.execution_options(isolation_level="AUTOCOMMIT")
        await quiet.execute(text("ANALYZE" if sql.is_sqlite else "VACUUM ANALYZE"))


def _indexes() -> list[Index]:
    return [index for table in READY_MADE.tables for index in table.indexes]


def _without_indexes(connection: Connection, sql: Sql) -> None:
    for index in _indexes():
        index.drop(connection)
    for key in _foreign_keys(sql):
        connection.execute(DropConstraint(key))


def _with_indexes(connection: Connection, sql: Sql) -> None:
    for index in _indexes():
        index.create(connection)
    for key in _foreign_keys(sql):
        connection.execute(AddConstraint(key))


def _foreign_keys(sql: Sql) -> list[Any]:
    """SQLite has none that can be taken away."""
    if sql.is_sqlite:
        return []
    copied = MetaData()  # what is dropped or added is left out of CREATE TABLE from then on
    tables = [table.to_metadata(copied) for table in READY_MADE.tables]
    found = [key for table in tables for key in table.foreign_key_constraints]
    for key in found:
        key.name = f"{key.table.name}_{next(iter(key.columns)).name}_fkey"
    return found


def statements(sql: Sql) -> Iterator[str]:
    """One for each table."""
    start = f"({sql.first} + i * {sql.step})"
    chat, chats = sql.uuid(start, 1, "i"), sql.series("i", 1, sql.chats)
    round_at = f"({start} + r * 1000)"
    run, rounds = sql.uuid(round_at, 2, "(i * 10 + r)"), sql.series("r", 0, 4)
    topic = "".join(f" WHEN {n} THEN '{name}'" for n, name in enumerate(TOPICS))
    yield f"""
        INSERT INTO llm_chats (id, user_id, model, provider, instructions, title, metadata,
            next_seq, created_at, updated_at)
        SELECT {chat}, CASE WHEN i % 20 = 0 THEN '{MANY}' ELSE 'u' || (i % {sql.chats // 50}) END,
            'gpt-5.2', 'openai', 'You answer questions on the HR handbook.',
            'Question ' || i || ' about ' || CASE i % 8{topic} END,
            {sql.json("'{}'", "jsonb")}, 11, {sql.time(start)}, {sql.time(f"({start} + 4000)")}
        FROM {chats}"""
    yield f"""
        INSERT INTO llm_runs (id, chat_id, status, owner, epoch, lease_until, stop_requested,
            settings, started_at, finished_at)
        SELECT {run}, {chat}, 'complete', 'host:1:abc', 1, {sql.time(round_at)}, {sql.false},
            {sql.json(SETTINGS, "jsonb")}, {sql.time(round_at)}, {sql.time(round_at)}
        FROM {chats}, {rounds}"""
    asked = "'What is rule ' || i || ' on trains, please, for contractors?'"
    said = f"CASE WHEN s % 2 = 0 THEN {asked} ELSE '{ANSWER}' END"
    part = "CASE WHEN s % 2 = 0 THEN 'user-prompt' ELSE 'text' END"
    kind = "CASE WHEN s % 2 = 0 THEN 'request' ELSE 'response' END"
    told = (f"'{PARTS}'", said, '\'", "part_kind": "\'', part, f"'{KIND}'", kind, "'\"}'")
    content = " || ".join(told)
    written = f"({start} + (s / 2) * 1000 + s)"
    answered = "CASE WHEN s % 2 = 1 THEN {} END"
    yield f"""
        INSERT INTO llm_messages (id, chat_id, run_id, seq, role, status, text, content, format,
            model, provider, finish_reason, input_tokens, output_tokens, created_at, finished_at)
        SELECT {sql.uuid(written, 3, "(i * 100 + s)")}, {chat},
            {sql.uuid(f"({start} + (s / 2) * 1000)", 2, "(i * 10 + s / 2)")}, s + 1,
            CASE WHEN s % 2 = 0 THEN 'user' ELSE 'assistant' END, 'complete', {said},
            {sql.json(content)}, 'pydantic-ai 2.68.0', {answered.format("'gpt-5.2'")},
            {answered.format("'openai'")}, {answered.format("'stop'")}, {answered.format("123")},
            {answered.format("45")}, {sql.time(written)}, {sql.time(written)}
        FROM {chats}, {sql.series("s", 0, 9)}"""
    sent = f"({round_at} + 1)"
    yield f"""
        INSERT INTO llm_requests (id, chat_id, run_id, message_id, provider, model, status,
            http_status, streamed, started_at, latency_ms, first_token_ms, input_tokens,
            output_tokens, cost, price_source)
        SELECT {sql.uuid(sent, 4, "(i * 10 + r)")}, {chat}, {run},
            {sql.uuid(f"({start} + r * 1000 + 2 * r + 1)", 3, "(i * 100 + 2 * r + 1)")}, 'openai',
            CASE WHEN i % 10 = 0 THEN 'gpt-5-nano' ELSE 'gpt-5.2' END,
            CASE WHEN (i + r) % 100 = 0 THEN 'failed' ELSE 'complete' END, 200, {sql.true},
            {sql.time(sent)}, 1000 + (i * 7919 + r * 131) % 4000, 200 + (i * 7919 + r * 31) % 700,
            123, 45, 0.00065, 'list'
        FROM {chats}, {rounds}"""
    call = f"({start} + 2)"
    yield f"""
        INSERT INTO llm_tool_calls (id, chat_id, run_id, message_id, call_id, name, arguments,
            status, result, started_at, finished_at, duration_ms)
        SELECT {sql.uuid(call, 5, "i")}, {chat}, {sql.uuid(start, 2, "(i * 10)")},
            {sql.uuid(f"({start} + 1)", 3, "(i * 100 + 1)")}, 'call_' || i, 'search_handbook',
            {sql.json(ARGUMENTS)}, 'complete', {sql.json(FOUND)},
            {sql.time(call)}, {sql.time(call)}, 20
        FROM {chats}"""
