"""Errors of a database are told by code: what may pass, what is refused, and what stays wrong."""

from __future__ import annotations

import sqlite3
from uuid import uuid4

import pytest
from drivers import DRIVERS, leaves_writers, url_by
from sqlalchemy import URL, text
from sqlalchemy.ext.asyncio import create_async_engine

from chatrecord.errors import DatabaseFailed
from chatrecord.sqlalchemy import Database
from chatrecord.sqlalchemy.engine.error_codes import Nature, nature_of

PASSING = ["57014", "55P03", "25006", "53300", "57P01", "57P03", "40001", "40P01", "08006"]
CONNECTION = ["57P01", "57P03", "08006"]
REFUSED = ["22P02", "22003", "23514", "54000"]
LASTING = ["53100", "42501", "42P01", "58030", "XX000"]
PASSING_NUMBERS = [
    1020,
    1040,
    1047,
    1205,
    1213,
    1226,
    1290,
    1317,
    1792,
    1836,
    1927,
    1969,
    2006,
    2013,
]
REFUSED_NUMBERS = [1153, 1366, 1406, 4025]
LASTING_NUMBERS = [1021, 1044, 1045, 1114, 1142, 1146]

CROWDS = {
    "postgresql": ("CREATE ROLE {name} LOGIN PASSWORD 'crowded' CONNECTION LIMIT 1",),
    "mysql": (
        "CREATE USER {name} IDENTIFIED BY 'crowded' WITH MAX_USER_CONNECTIONS 1",
        "GRANT ALL ON *.* TO {name}",
    ),
}
"""A user who may have one connection."""

pytestmark = leaves_writers


@pytest.fixture
def url(driver: str, request: pytest.FixtureRequest) -> URL:
    return url_by(driver, request)


@pytest.mark.parametrize("driver", ["asyncpg", "psycopg"])
@pytest.mark.parametrize("sqlstate", [*PASSING, *REFUSED, *LASTING])
async def test_a_sqlstate_tells_whether_it_passes(url: URL, sqlstate: str) -> None:
    raising = f"DO $$ BEGIN RAISE EXCEPTION 'said in words' USING ERRCODE = '{sqlstate}'; END $$"

    failure = await failure_of(url, raising)

    assert failure.may_pass is (sqlstate in PASSING)
    assert failure.undone is (sqlstate in PASSING and sqlstate not in CONNECTION)
    assert failure.refused_value is (sqlstate in REFUSED)


@pytest.mark.parametrize("driver", ["asyncmy"])
@pytest.mark.parametrize("number", [*PASSING_NUMBERS, *REFUSED_NUMBERS, *LASTING_NUMBERS])
async def test_a_number_tells_whether_it_passes(url: URL, number: int) -> None:
    raising = f"SIGNAL SQLSTATE '45000' SET MYSQL_ERRNO = {number}, MESSAGE_TEXT = 'words'"

    failure = await failure_of(url, f"BEGIN NOT ATOMIC {raising}; END")

    assert failure.may_pass is (number in PASSING_NUMBERS)
    assert failure.undone is (number in PASSING_NUMBERS and number not in (1927, 2006, 2013))
    assert failure.refused_value is (number in REFUSED_NUMBERS)


async def test_a_code_of_sqlite_tells_whether_it_passes(db: Database) -> None:
    def raised(statement: str) -> sqlite3.Error:
        with pytest.raises(sqlite3.Error) as failure:
            sqlite3.connect(":memory:").execute(statement)
        return failure.value

    assert nature_of(raised("SELECT 1 FROM nothing")) is Nature.LASTING
    assert nature_of(raised("SELECT zeroblob(2000000000)")) is Nature.REFUSED

    async with db.engine.begin() as other:
        await other.execute(text("UPDATE llm_chats SET title = ''"))
        locked = sqlite3.connect(str(db.engine.url.database), timeout=0)
        with pytest.raises(sqlite3.OperationalError) as failure:
            locked.execute("UPDATE llm_chats SET title = ''")
        locked.close()
    assert nature_of(failure.value) is Nature.UNDONE


@pytest.mark.parametrize("driver", list(DRIVERS))
async def test_a_value_that_the_driver_cannot_send_is_refused(url: URL) -> None:
    failure = await failure_of(url, "SELECT :value", value="\ud800")

    assert failure.refused_value
    assert not failure.may_pass


@pytest.mark.parametrize(
    ("driver", "code"), [("asyncpg", "SQLSTATE"), ("psycopg", "SQLSTATE"), ("asyncmy", "error")]
)
async def test_a_refused_value_is_in_no_error_message(url: URL, code: str) -> None:
    """Drivers quote it, and errors are logged."""
    signal = "SIGNAL SQLSTATE '45000' SET MYSQL_ERRNO = 1366, MESSAGE_TEXT = 'of a patient'"
    if code == "error":
        failure = await failure_of(url, f"BEGIN NOT ATOMIC {signal}; END")
    else:
        failure = await failure_of(url, "SELECT CAST(:value AS INTEGER)", value="of a patient")

    assert failure.refused_value
    assert "patient" not in str(failure)
    assert "refused a value: " in str(failure)
    assert f"({code}" in str(failure)


@pytest.mark.parametrize("driver", list(DRIVERS))
async def test_who_finds_all_connections_taken_has_written_nothing(url: URL) -> None:
    """libpq hands on the words of the server, and no code."""
    name = f"crowd_{uuid4().hex[:8]}"
    engine = create_async_engine(url)
    async with engine.begin() as connection:
        for statement in CROWDS[url.get_backend_name()]:
            await connection.execute(text(statement.format(name=name)))
    limited = url.set(username=name, password="crowded")
    first, second = create_async_engine(limited), Database(limited)
    try:
        async with first.connect():
            with pytest.raises(DatabaseFailed) as failure:
                async with second.store.transaction():
                    pass
        assert failure.value.may_pass
        assert failure.value.undone
    finally:
        await second.close()
        await first.dispose()
        async with engine.begin() as connection:
            await connection.execute(text(f"DROP USER {name}"))
        await engine.dispose()


async def failure_of(url: URL, statement: str, **values: object) -> DatabaseFailed:
    """What a statement fails with, on a real server."""
    engine = create_async_engine(url)
    db = Database(engine)
    with pytest.raises(DatabaseFailed) as failure:
        async with db.store.transaction() as connection:
            await connection.execute(text(statement), values)
    await db.close()
    await engine.dispose()
    return failure.value
