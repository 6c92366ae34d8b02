"""The databases every test can meet: SQLite, PostgreSQL and MariaDB, real ones."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import settings
from sqlalchemy import URL, make_url, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.schema import CreateTable

from chatrecord.sqlalchemy import Database
from chatrecord.sqlalchemy.tables import Base
from servers import mariadb_server, postgres_server

pytest_plugins = ["order"]

pytest.register_assert_rewrite("chatrecord.testing.conformance", "campaign")

# A shell that runs the tests in its background has them ignore Ctrl-C, and their children too.
signal.signal(signal.SIGINT, signal.default_int_handler)

# The same examples for everybody, however busy the machine; HYPOTHESIS_PROFILE=default looks for
# new ones.
settings.register_profile("same", derandomize=True, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))

BACKENDS = ("sqlite", "postgresql", "mariadb")


@pytest.fixture(scope="session")
def sqlite_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    url = f"sqlite+aiosqlite:///{tmp_path_factory.mktemp('sqlite') / 'chats.db'}"
    asyncio.run(_create_tables(url))
    yield url


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    with postgres_server() as server:
        yield from _database_on(server, "postgres")


@pytest.fixture(scope="session")
def mariadb_url() -> Iterator[str]:
    server = mariadb_server()
    if server is None:
        pytest.skip("no MariaDB answers: start one, or set CHATRECORD_TEST_MARIADB to its URL")
    yield from _database_on(server, "mysql")


@pytest.fixture(params=BACKENDS)
def any_url(request: pytest.FixtureRequest) -> str:
    """One database after the other."""
    return request.getfixturevalue(f"{request.param}_url")


@pytest.fixture(params=BACKENDS)
def own_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """One database after the other, with nothing in it yet but the tables."""
    yield from _own_database(request, tmp_path)


@pytest.fixture(scope="module", params=BACKENDS)
def module_url(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The same, for all tests of a module together."""
    yield from _own_database(request, tmp_path_factory.mktemp("module"))


def _own_database(request: pytest.FixtureRequest, folder: Path) -> Iterator[str]:
    if request.param == "sqlite":
        url = f"sqlite+aiosqlite:///{folder / 'own.db'}"
        asyncio.run(_create_tables(url))
        yield url
        return
    server = make_url(request.getfixturevalue(f"{request.param}_url"))
    yield from _database_on(server, {"postgresql": "postgres", "mariadb": "mysql"}[request.param])


@pytest.fixture(scope="module", autouse=True)
def _ready_made_tables_stay(request: pytest.FixtureRequest) -> Iterator[None]:
    """Whoever changes them would fail the tests of others, later in the same process."""
    before = _ready_made()
    yield
    assert _ready_made() == before, f"{request.path} has changed Base.metadata"


def _ready_made() -> dict[str, list[list[str]]]:
    return {
        name: [
            [*table.columns.keys()],
            sorted(f"{key.parent.name} {key.target_fullname}" for key in table.foreign_keys),
            sorted(str(index.name) for index in table.indexes),
            [str(CreateTable(table))],
        ]
        for name, table in Base.metadata.tables.items()
    }


@pytest.fixture
async def backend(any_url: str) -> AsyncIterator[Database]:
    async with Database(any_url) as db:
        yield db


@pytest.fixture
async def elsewhere(any_url: str) -> AsyncIterator[Database]:
    """The same database, as another process has it."""
    async with Database(any_url) as db:
        yield db


@pytest.fixture
async def db(tmp_path: Path) -> AsyncIterator[Database]:
    """A SQLite file of this test's own."""
    async with Database(f"sqlite+aiosqlite:///{tmp_path / 'chats.db'}") as db:
        await db.create_tables()
        yield db


def _database_on(server: URL, maintenance: str) -> Iterator[str]:
    name = f"chatrecord_test_{uuid4().hex[:12]}"
    asyncio.run(_execute(server.set(database=maintenance), f"CREATE DATABASE {name}"))
    try:
        url = server.set(database=name).render_as_string(hide_password=False)
        asyncio.run(_create_tables(url))
        yield url
    finally:
        asyncio.run(_execute(server.set(database=maintenance), f"DROP DATABASE {name}"))


async def _execute(server: URL, statement: str) -> None:
    engine = create_async_engine(server, isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        await connection.execute(text(statement))
    await engine.dispose()


async def _create_tables(url: str) -> None:
    async with Database(url) as db:
        await db.create_tables()
