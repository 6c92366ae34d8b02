"""Everybody may create the tables at once, as the workers of a server do at its first start."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import own_tables
import pytest
from children import processes
from creating_child import run
from sqlalchemy import Connection, MetaData, inspect, make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

from chatrecord.errors import DatabaseFailed, SchemaError
from chatrecord.sqlalchemy import Database
from chatrecord.sqlalchemy.models import creation
from chatrecord.sqlalchemy.tables import Base

MANY = 8


@pytest.fixture
async def empty_url(own_url: str) -> AsyncIterator[str]:
    """One database after the other, with nothing in it."""
    async with Database(own_url) as db, db.engine.begin() as connection:
        await connection.run_sync(Base.metadata.drop_all)
    yield own_url


async def test_eight_processes_create_the_tables_at_once(empty_url: str) -> None:
    barrier = processes.Barrier(MANY)
    pipes = [processes.Pipe(duplex=False) for _ in range(MANY)]
    children = [processes.Process(target=run, args=(empty_url, barrier, end)) for _, end in pipes]
    for child in children:
        child.start()
    for child in children:
        await asyncio.to_thread(child.join, 120)
    told = [ours.recv() for ours, _ in pipes for _ in range(2) if ours.poll()]
    for pipe in pipes:
        for end in pipe:
            end.close()

    assert told == ["created"] * MANY * 2
    assert await missing_in(empty_url, Base.metadata) == set()
    assert await missing_in(empty_url, own_tables.Base.metadata) == set()


async def test_threads_create_the_tables_at_once(empty_url: str) -> None:
    failures: list[BaseException] = []

    async def create() -> None:
        async with Database(empty_url) as one, Database(empty_url) as other:
            await asyncio.gather(one.create_tables(), other.create_tables(), one.create_tables())

    def work() -> None:
        try:
            asyncio.run(create())
        except BaseException as error:  # noqa: BLE001 - a thread has nobody else to tell
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        await asyncio.to_thread(thread.join)

    assert failures == []
    assert await missing_in(empty_url, Base.metadata) == set()


async def test_whoever_takes_no_turn_may_be_faster(empty_url: str) -> None:
    """Such as the rest of the application, by its own metadata.create_all()."""
    engine = create_async_engine(empty_url)
    async with Database(empty_url, models=own_tables.Base) as db:

        async def by_itself() -> None:
            async with engine.begin() as connection:
                await connection.run_sync(own_tables.User.__table__.create, checkfirst=True)
                await asyncio.sleep(0.2)  # the other meets a table that it does not see yet

        by_ourselves = asyncio.create_task(by_itself())
        await asyncio.sleep(0.1)
        await db.create_tables()
        await by_ourselves
    await engine.dispose()

    assert await missing_in(empty_url, own_tables.Base.metadata) == set()


async def test_the_tables_are_created_where_transactions_are_serializable(empty_url: str) -> None:
    """There a transaction sees what was there when it began, however long it waits for a lock."""
    engine = create_async_engine(empty_url, isolation_level="SERIALIZABLE")
    async with Database(engine) as db:
        await asyncio.gather(*(db.create_tables() for _ in range(4)))
    await engine.dispose()

    assert await missing_in(empty_url, Base.metadata) == set()


async def test_each_schema_gets_its_tables_and_what_was_added_to_them(empty_url: str) -> None:
    """Also beside the tables of an earlier version in another schema."""
    engine = create_async_engine(Database(empty_url).engine.url)
    if engine.dialect.name != "postgresql":
        pytest.skip("other databases have no schemas in this sense")
    mapped = engine.execution_options(schema_translate_map={None: "tenant"})
    async with engine.begin() as connection:
        await connection.execute(text("CREATE SCHEMA tenant"))
    async with Database(engine) as db, Database(mapped) as tenant:
        await db.create_tables()
        await tenant.create_tables()
        async with engine.begin() as connection:
            for name in ("llm_requests", "tenant.llm_requests"):
                await connection.execute(text(f"ALTER TABLE {name} DROP COLUMN kind"))

        await tenant.create_tables()

        await tenant.check()
        with pytest.raises(SchemaError, match="kind"):
            await db.check()
    await engine.dispose()


async def test_a_lock_that_is_never_released_is_reported(
    postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(creation, "_LONGEST", 0.3)
    lock = text(f"SELECT pg_advisory_xact_lock({creation.ADVISORY_LOCK})")
    async with Database(postgresql_url) as db, db.engine.begin() as connection:
        await connection.execute(lock)

        with pytest.raises(DatabaseFailed, match="Another process has been creating"):
            await db.create_tables()


async def test_a_server_lets_the_next_in_after_a_failure(mariadb_url: str) -> None:
    """The lock of MariaDB is not let go of by a rollback."""
    engine = create_async_engine(mariadb_url, pool_size=2)
    async with Database(engine) as db:
        with pytest.raises(RuntimeError):
            async with engine.begin() as connection, creation._locked(connection):
                raise RuntimeError

        async with engine.begin() as connection, creation._locked(connection) as is_ours:
            assert is_ours
            async with engine.begin() as other, creation._locked(other) as is_theirs:
                assert not is_theirs
        await db.create_tables()
    await engine.dispose()


async def test_a_new_file_has_small_pages_and_another_keeps_its_own(tmp_path: Path) -> None:
    """SQLite logs whole pages, of which each write of a run changes a dozen."""
    sizes = []
    for name in ("new", "old"):
        path = tmp_path / name
        if name == "old":
            with closing(sqlite3.connect(path)) as file:
                file.execute("CREATE TABLE theirs (id INTEGER)")
        async with Database(f"sqlite:///{path}") as db:
            await db.create_tables()
        with closing(sqlite3.connect(path)) as file:
            sizes += file.execute("PRAGMA page_size").fetchone()
    assert sizes == [1024, 4096]


async def missing_in(url: str, metadata: MetaData) -> set[str]:
    """The tables and indexes that are not there."""

    def names(connection: Connection) -> set[str]:
        seen = inspect(connection)
        tables = set(seen.get_table_names())
        indexes = {str(it["name"]) for table in tables for it in seen.get_indexes(table)}
        return tables | indexes

    engine = create_async_engine(make_url(url))
    async with engine.connect() as connection:
        there = await connection.run_sync(names)
    await engine.dispose()
    tables = metadata.tables.values()
    return (
        set(metadata.tables) | {str(index.name) for table in tables for index in table.indexes}
    ) - there
