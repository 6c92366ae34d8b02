"""The floor: the rows of a turn, written by hand through the bare driver.

The same columns with the same values, in the same number of transactions, as somebody would write
it who knows the driver well: one connection that is kept, prepared statements, several rows of a
table in one go, updates of just the columns that change, and nothing that guards, retries, or
could serve another database.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

import aiosqlite
import asyncpg
from sqlalchemy import make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from chatrecord.ids import new_id
from shared import dsn_of, path_of

Row = dict[str, Any]


class Driver(Protocol):
    mark: str

    def transaction(self) -> Any: ...

    async def one(self, sql: str, *values: object) -> Any: ...

    async def all(self, sql: str, *values: object) -> Sequence[Any]: ...

    async def run(self, sql: str, *values: object) -> None: ...

    async def many(self, sql: str, rows: Sequence[Sequence[object]]) -> None: ...

    def moment(self, moment: datetime) -> object: ...

    def id(self, value: UUID) -> object: ...


class Asyncpg:
    mark = "$"

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection
        self.transaction = connection.transaction
        self.one = connection.fetchval
        self.all = connection.fetch
        self.run = connection.execute
        self.many = connection.executemany

    def moment(self, moment: datetime) -> object:
        return moment

    def id(self, value: UUID) -> object:
        return value


class Aiosqlite:
    mark = "?"

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._connection = connection

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        await self._connection.execute("BEGIN")
        yield
        await self._connection.commit()

    async def one(self, sql: str, *values: object) -> Any:
        return (await self.all(sql, *values))[0][0]

    async def all(self, sql: str, *values: object) -> Sequence[Any]:
        return list(await self._connection.execute_fetchall(sql, values))

    async def run(self, sql: str, *values: object) -> None:
        await self._connection.execute(sql, values)

    async def many(self, sql: str, rows: Sequence[Sequence[object]]) -> None:
        await self._connection.executemany(sql, rows)

    def moment(self, moment: datetime) -> object:
        return moment.strftime("%Y-%m-%d %H:%M:%S.%f")

    def id(self, value: UUID) -> object:
        return value.hex


class Core:
    """The same strings by hand through SQLAlchemy: what it takes for itself."""

    def __init__(self, engine: AsyncEngine, bare: Driver) -> None:
        self._engine = engine
        self._connection: AsyncConnection | None = None
        self.mark, self.moment, self.id = bare.mark, bare.moment, bare.id

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        async with self._engine.begin() as self._connection:
            yield

    async def _execute(self, sql: str, values: Any) -> Any:
        assert self._connection is not None
        return await self._connection.exec_driver_sql(sql, values)

    async def one(self, sql: str, *values: object) -> Any:
        return (await self._execute(sql, values)).scalar_one()

    async def all(self, sql: str, *values: object) -> Sequence[Any]:
        found: Sequence[Any] = (await self._execute(sql, values)).all()
        return found

    async def run(self, sql: str, *values: object) -> None:
        await self._execute(sql, values)

    async def many(self, sql: str, rows: Sequence[Sequence[object]]) -> None:
        await self._execute(sql, [tuple(row) for row in rows])


@asynccontextmanager
async def driver_of(url: str) -> AsyncIterator[Driver]:
    if make_url(url).get_backend_name() == "sqlite":
        async with aiosqlite.connect(path_of(url), isolation_level=None) as connection:
            for pragma in ("synchronous=NORMAL", "foreign_keys=ON", "busy_timeout=10000"):
                await connection.execute(f"PRAGMA {pragma}")
            yield Aiosqlite(connection)
    else:
        bare = await asyncpg.connect(dsn_of(url))
        yield Asyncpg(bare)
        await bare.close()


class Floor:
    """Writes the rows of turns like one that the library has written before."""

    def __init__(self, driver: Driver, rows: dict[str, list[Row]]) -> None:
        self._db = driver
        self._rows = rows
        self._sql: dict[tuple[str, ...], str] = {}

    def through(self, driver: Driver) -> Floor:
        """The same rows by another way."""
        return Floor(driver, self._rows)

    @classmethod
    async def like(cls, driver: Driver, run_id: UUID) -> Floor:
        """A floor for turns like this run."""
        tables = {"llm_runs": "id", "llm_messages": "run_id", "llm_requests": "run_id"}
        rows = {}
        for table, key in {**tables, "llm_tool_calls": "run_id"}.items():
            sql = f"SELECT * FROM {table} WHERE {key} = {driver.mark}1 ORDER BY id"
            names = await cls._columns(driver, table)
            found = await driver.all(sql, driver.id(run_id))
            rows[table] = [dict(zip(names, row, strict=True)) for row in found]
        return cls(driver, rows)

    @staticmethod
    async def _columns(driver: Driver, table: str) -> list[str]:
        if driver.mark == "?":
            return [row[1] for row in await driver.all(f"PRAGMA table_info({table})")]
        sql = (
            "SELECT column_name FROM information_schema.columns WHERE table_name = $1 "
            "ORDER BY ordinal_position"
        )
        return [row[0] for row in await driver.all(sql, table)]

    async def turn(self, chat_id: UUID) -> None:
        """One turn of this chat: two transactions, and three more for a tool call."""
        chat, now = self._db.id(chat_id), self._db.moment(datetime.now(UTC))
        run_id = self._db.id(new_id())
        of_run = {"chat_id": chat, "run_id": run_id}
        (run,) = self._new("llm_runs", id=run_id, chat_id=chat, active_chat_id=chat)
        messages = self._new("llm_messages", **of_run, created_at=now)
        answers = [message for message in messages if message["role"] == "assistant"]
        requests = self._new("llm_requests", **of_run, started_at=now)
        for request, answer in zip(requests, answers, strict=True):
            request["message_id"] = answer["id"]
        calls = self._new("llm_tool_calls", **of_run, message_id=answers[0]["id"], started_at=now)

        seq = await self._begin(run, messages[:2], requests[0])
        if calls:
            async with self._db.transaction():
                await self._hold(run)
                await self._end("llm_messages", answers[0])
                await self._end("llm_requests", requests[0])
                await self._insert("llm_tool_calls", [_opened(call) for call in calls])
            async with self._db.transaction():
                await self._hold(run)
                for call in calls:
                    await self._end("llm_tool_calls", call)
            for place, message in enumerate(messages):
                message["seq"] = seq + place
            async with self._db.transaction():
                await self._hold(run)
                await self._insert("llm_messages", [messages[2], _opened(messages[3])])
                await self._insert("llm_requests", [_opened(requests[1])])
                await self._take(chat, 2)
        async with self._db.transaction():
            await self._end("llm_runs", {**run, "active_chat_id": None})
            await self._end("llm_messages", answers[-1])
            await self._end("llm_requests", requests[-1])

    async def _begin(self, run: Row, opening: list[Row], request: Row) -> int:
        prompt, answer = opening
        async with self._db.transaction():
            await self._insert("llm_runs", [_opened(run)])
            next_seq: int = await self._take(run["chat_id"], 2)
            prompt["seq"], answer["seq"] = next_seq - 2, next_seq - 1
            await self._insert("llm_messages", [prompt, _opened(answer)])
            await self._insert("llm_requests", [_opened(request)])
            await self._db.all(self._history, run["chat_id"], next_seq - 2)
        return next_seq - 2

    @property
    def _history(self) -> str:
        mark = self._db.mark
        return (
            f"SELECT * FROM llm_messages WHERE chat_id = {mark}1 AND seq < {mark}2 "
            "AND status <> 'superseded' ORDER BY seq DESC LIMIT 400"
        )

    async def _take(self, chat: object, numbers: int) -> int:
        mark = self._db.mark
        sql = (
            f"UPDATE llm_chats SET next_seq = next_seq + {mark}2, updated_at = {mark}3 "
            f"WHERE id = {mark}1 RETURNING next_seq"
        )
        taken: int = await self._db.one(sql, chat, numbers, self._db.moment(datetime.now(UTC)))
        return taken

    async def _hold(self, run: Row) -> None:
        mark = self._db.mark
        sql = f"UPDATE llm_runs SET lease_until = {mark}1 WHERE id = {mark}2 AND owner = {mark}3"
        until = self._db.moment(datetime.now(UTC) + timedelta(seconds=30))
        await self._db.run(sql, until, run["id"], run["owner"])

    def _new(self, table: str, **values: object) -> list[Row]:
        return [{**row, "id": self._db.id(new_id()), **values} for row in self._rows[table]]

    async def _insert(self, table: str, rows: list[Row]) -> None:
        names = tuple(rows[0])
        sql = self._sql.get((table, *names))
        if sql is None:
            marks = ", ".join(f"{self._db.mark}{place + 1}" for place in range(len(names)))
            sql = f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})"
            self._sql[table, *names] = sql
        values = [_storable(row) for row in rows]
        if len(rows) == 1:
            await self._db.run(sql, *values[0])
        else:
            await self._db.many(sql, values)

    async def _end(self, table: str, row: Row) -> None:
        names = _CHANGING[table]
        sql = self._sql.get((table, *names))
        if sql is None:
            mark = self._db.mark
            sets = ", ".join(f"{name} = {mark}{place + 2}" for place, name in enumerate(names))
            sql = f"UPDATE {table} SET {sets} WHERE id = {mark}1"
            self._sql[table, *names] = sql
        changed = {name: row[name] for name in names}
        await self._db.run(sql, row["id"], *_storable(changed))


_TOKENS = tuple(
    f"{kind}_tokens" for kind in ("input", "output", "cache_read", "cache_write", "reasoning")
)
_MESSAGE_TOKENS = tuple(name for name in _TOKENS if name != "cache_write_tokens")

_CHANGING = {
    "llm_runs": (
        "active_chat_id",
        "status",
        "lease_until",
        "instructions",
        "settings",
        "finished_at",
    ),
    "llm_messages": (
        "status",
        "text",
        "reasoning",
        "content",
        "format",
        "model",
        "provider",
        "finish_reason",
        "finished_at",
        *_TOKENS,
    ),
    "llm_requests": (
        "status",
        "model",
        "provider",
        "http_status",
        "provider_request_id",
        "streamed",
        "latency_ms",
        "first_token_ms",
        "cost",
        "price_source",
        *_TOKENS,
    ),
    "llm_tool_calls": ("status", "result", "finished_at", "duration_ms"),
}


def _opened(row: Row) -> Row:
    """A row as it is before its end is known."""
    blank = dict.fromkeys(
        ("content", "settings", "finished_at", "latency_ms", "first_token_ms", "result"),
    )
    opened = {**row, **{name: None for name in blank if name in row}}
    opened["status"] = "streaming" if "seq" in row else "running"
    if "text" in row:
        opened["text"] = ""
    return opened


def _storable(row: Row) -> list[object]:
    return [
        json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else value
        for value in row.values()
    ]
