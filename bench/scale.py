"""What every statement of the library costs among many chats, and by which plan.

    python bench/scale.py sqlite:/// 20000
    python bench/scale.py postgresql://postgres@localhost/postgres 100000
    python bench/scale.py postgresql://postgres@localhost/postgres 1000000 --plans plans.txt

Makes a database of its own with so many chats, ten times as many messages and five times as many
requests, then calls what an application calls. A million chats take 12 GB, and half an hour on two
cores. On PostgreSQL the plans are those of the very statements (`auto_explain`, for which the user
has to be a superuser); SQLite tells how it would do them.
"""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter
from typing import Any

from sqlalchemy import event, make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from chatrecord import Budget
from chatrecord.sqlalchemy import (
    Database,
    create_chat,
    delete_chat,
    export_chat,
    import_chat,
    list_chats,
    load_chat,
    purge,
    usage,
)
from chatrecord.testing import Script, say
from scale_rows import FEW, MANY, YEAR, fill
from shared import NEVER, backend_of, empty_database, show, ticking

Work = Callable[[], Awaitable[Any]]
LARGE = 1000
"""Rows that are read from end to end for less are no whole table."""


@dataclass(frozen=True)
class Result:
    database: str
    chats: int
    name: str
    milliseconds: float
    statements: int
    buffers: int
    whole: str
    """Tables that were read from end to end."""


@dataclass
class Watch:
    """What the database says of the statements it gets."""

    engine: AsyncEngine
    statements: list[tuple[str, Any]] = field(default_factory=list)
    plans: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        sync = self.engine.sync_engine
        event.listen(sync, "before_cursor_execute", self._executed)
        if self.engine.dialect.name == "postgresql":
            event.listen(sync, "connect", self._explaining)

    def _executed(self, _c: Any, _cursor: Any, sql: str, parameters: Any, *_: Any) -> None:
        self.statements.append((sql, parameters))

    def _explaining(self, connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        for setting in (
            "LOAD 'auto_explain'",
            "SET auto_explain.log_min_duration = 0",
            "SET auto_explain.log_analyze = on",
            "SET auto_explain.log_buffers = on",
            "SET auto_explain.log_triggers = on",
            "SET auto_explain.log_nested_statements = off",
            "SET client_min_messages = log",
            "SET jit = off",
        ):
            cursor.execute(setting)
        cursor.close()
        connection.commit()
        connection.driver_connection.add_log_listener(
            lambda _, message: self.plans.append(message.message)
        )

    def clear(self) -> None:
        self.statements.clear()
        self.plans.clear()

    async def read(self) -> list[str]:
        """The plan of each statement."""
        if self.engine.dialect.name != "sqlite":
            await asyncio.sleep(0.05)
            return list(self.plans)
        plans = []
        seen = list(self.statements)
        async with self.engine.connect() as connection:
            for sql, parameters in seen:
                first = parameters[0] if isinstance(parameters, list) else parameters
                rows = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", first)
                plans.append("\n".join([sql, *(row[3] for row in rows)]))
        return plans


def whole_tables(plans: Sequence[str]) -> Iterator[str]:
    """The tables that these plans read from end to end, where they are large."""
    for plan in plans:
        yield from re.findall(r"SCAN (llm_(?!usage_days)\w+\b)(?! USING)", plan)
        for table, rows in re.findall(
            r"Seq Scan on (llm_(?!usage_days)\w+).*?actual.*?rows=(\d+)", plan
        ):
            removed = re.search(rf"Seq Scan on {table}.*?Removed by Filter: (\d+)", plan, re.DOTALL)
            if int(rows) + int(removed[1] if removed else 0) > LARGE:
                yield table


def buffers(plans: Sequence[str]) -> int:
    """Pages of eight kilobytes that were looked at."""
    tops = (re.search(r"Buffers: shared([^\n]*)", plan) for plan in plans)
    return sum(sum(map(int, re.findall(r"(?:hit|read)=(\d+)", top[1]))) for top in tops if top)


class Bench:
    """Calls, one after the other, with what each of them took."""

    def __init__(self, db: Database[Any], watch: Watch, chats: int, log: Path | None) -> None:
        self._db, self._watch, self._chats, self._log = db, watch, chats, log
        self.results: list[Result] = []

    async def take(self, name: str, work: Work, times: int = 3) -> Any:
        """The fastest of so many times: the first has to fetch pages from the disk."""
        taken, found = [], None
        for _ in range(times):
            self._watch.clear()
            began = perf_counter()
            found = await work()
            taken.append(perf_counter() - began)
        count = len(self._watch.statements)
        plans = await self._watch.read()
        whole = ", ".join(sorted(set(whole_tables(plans))))
        backend = backend_of(str(self._db.engine.url))
        self.results.append(
            Result(backend, self._chats, name, min(taken) * 1000, count, buffers(plans), whole)
        )
        if self._log is not None:
            with self._log.open("a", encoding="utf-8") as out:
                print(f"===== {name}: {min(taken) * 1000:.1f} ms", *plans, sep="\n", file=out)
        return found


async def call_all(db: Database[Any], bench: Bench) -> None:
    now = datetime.now(UTC)
    await read_lists(db, bench, now)
    await read_a_chat(db, bench)
    await ask(db, bench)
    year: dict[str, Any] = {"by": ["day", "model"], "since": now - YEAR}
    name = "usage() by day and model, a year, before its days are added up"
    await bench.take(name, lambda: usage(db, **year), times=1)
    await bench.take("repair(), which adds up a year", db.repair, times=1)
    await bench.take("repair()", db.repair)
    await ask(db, bench, "after that: ")
    await report(db, bench, now)
    await delete(db, bench, now)


async def read_lists(db: Database[Any], bench: Bench, now: datetime) -> None:
    page = await bench.take("list_chats()", lambda: list_chats(db))
    past = replace(page[-1], updated_at=now - YEAR / 2)
    await bench.take("list_chats(before=half a year ago)", lambda: list_chats(db, before=past))
    for user in (FEW, MANY):
        await bench.take(
            f"list_chats(user_id={user!r})", lambda user=user: list_chats(db, user_id=user)
        )
        await bench.take(
            f"list_chats(search='zebra', user_id={user!r})",
            lambda user=user: list_chats(db, search="zebra", user_id=user),
        )
    await bench.take("list_chats(search='travel')", lambda: list_chats(db, search="travel"))
    await bench.take("list_chats(search='zebra')", lambda: list_chats(db, search="zebra"), times=1)
    if db.engine.dialect.name == "postgresql":
        async with db.engine.begin() as connection:
            await connection.exec_driver_sql("CREATE EXTENSION IF NOT EXISTS pg_trgm")
            await connection.exec_driver_sql(
                "CREATE INDEX words_of_titles ON llm_chats USING gin (title gin_trgm_ops)"
            )
        for word in ("zebra", "4711", "travel"):
            await bench.take(
                f"list_chats(search={word!r}), by trigrams",
                lambda word=word: list_chats(db, search=word),
            )


async def read_a_chat(db: Database[Any], bench: Bench) -> None:
    script = Script()
    (first, *_) = await list_chats(db, user_id=MANY)
    chat = await bench.take("load_chat()", lambda: load_chat(db, script, first.id))
    await bench.take("chat.messages(limit=5, before=8)", lambda: chat.messages(limit=5, before=8))
    await bench.take("chat.tool_calls()", chat.tool_calls)
    await bench.take("chat.requests()", chat.requests)
    await bench.take("chat.usage()", chat.usage)

    async def export() -> list[str]:
        return [line async for line in export_chat(db, first.id)]

    lines = await bench.take("export_chat()", export)
    await delete_chat(db, first.id)
    await bench.take("import_chat()", lambda: import_chat(db, lines), times=1)


async def ask(db: Database[Any], bench: Bench, when: str = "") -> None:
    (first, *_) = await list_chats(db, user_id=MANY)

    async def turn(budgets: Sequence[Budget]) -> None:
        chat = await load_chat(db, Script([say("ok")]), first.id, budgets=budgets)
        await chat.ask("And for contractors?")

    for name, budgets in (
        ("ask()", []),
        ("ask(), a budget of the owner's day", [Budget(tokens=10**12, per="day", by="user_id")]),
        (
            "ask(), a budget of the owner's month",
            [Budget(tokens=10**12, per="month", by="user_id")],
        ),
        ("ask(), a budget of all chats, a day", [Budget(tokens=10**12, per="day")]),
        ("ask(), a budget of all chats, a month", [Budget(tokens=10**12, per="month")]),
        ("ask(), a budget of all chats, for ever", [Budget(tokens=10**12)]),
    ):
        await bench.take(when + name, lambda budgets=budgets: turn(budgets))


async def report(db: Database[Any], bench: Bench, now: datetime) -> None:
    week, month = now - timedelta(days=7), now - timedelta(days=30)
    for name, told in (
        ("by day, a week", {"by": ["day"], "since": week}),
        ("by hour, a day", {"by": ["hour"], "since": now - timedelta(days=1)}),
        ("by day and model, a year", {"by": ["day", "model"], "since": now - YEAR}),
        ("by month, everything", {"by": ["month"]}),
        ("by day, a week, one user of few chats", {"by": ["day"], "since": week, "user_id": FEW}),
        ("by day, a week, one user of many", {"by": ["day"], "since": week, "user_id": MANY}),
        ("by user, a week", {"by": ["user_id"], "since": week}),
        ("by model, a week, percentiles", {"by": ["model"], "since": week, "percentiles": True}),
        ("by user, a month", {"by": ["user_id"], "since": month}),
    ):
        await bench.take(f"usage() {name}", lambda told=told: usage(db, **told), times=2)
    everything: dict[str, Any] = {"by": ["month"], "percentiles": True}
    await bench.take(
        "usage() by month, everything, percentiles", lambda: usage(db, **everything), 1
    )


async def delete(db: Database[Any], bench: Bench, now: datetime) -> None:
    page = await list_chats(db)
    await bench.take("delete_chat()", lambda: delete_chat(db, page[0].id), times=1)
    old = now - YEAR + YEAR * (1000 / bench.results[0].chats)
    await bench.take("purge() of a thousand chats", lambda: purge(db, older_than=old), times=1)
    older = now - YEAR + YEAR * (2000 / bench.results[0].chats)
    keep: dict[str, Any] = {"older_than": older, "audit": "keep"}
    await bench.take("purge(audit='keep') of a thousand", lambda: purge(db, **keep), times=1)
    few: dict[str, Any] = {"older_than": now - YEAR / 2, "user_id": FEW}
    await bench.take("purge() of one user's", lambda: purge(db, **few), times=1)
    nobody: dict[str, Any] = {"older_than": now, "user_id": "nobody"}
    await bench.take("purge() of nobody's", lambda: purge(db, **nobody))
    await create_chat(db, Script([say("ok")]), user_id=FEW)


def table(results: Sequence[Result]) -> None:
    show(
        "Calls among many chats (milliseconds, the fastest of three)",
        ["database", "chats", "call", "ms", "statements", "pages of 8 kB", "tables read whole"],
        [list(vars(result).values()) for result in results],
    )


TINY: dict[str, Any] = {"chats": 500}


async def run(servers: Sequence[str], chats: int, log: Path | None = None) -> list[Result]:
    results = []
    for server in servers:
        async with empty_database(server) as url:
            driver = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg"}
            made = make_url(url)
            engine = create_async_engine(made.set(drivername=driver[made.get_backend_name()]))
            async with Database(engine, patience=timedelta(minutes=5)) as db:
                await db.create_tables()
                await fill(engine, chats)
                await engine.dispose()
                bench = Bench(db, Watch(engine), chats, log)
                with ticking(NEVER):
                    await call_all(db, bench)
                results += bench.results
            await engine.dispose()
    return results


if __name__ == "__main__":
    words = [word for word in sys.argv[1:] if word != "--plans"]
    plans_to = Path(words.pop()) if "--plans" in sys.argv else None
    if len(words) != 2:
        raise SystemExit(__doc__)
    table(asyncio.run(run([words[0]], int(words[1]), plans_to)))
