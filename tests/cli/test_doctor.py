"""`chatrecord doctor`: it prints findings, repairs them on request, and reports them by its exit status."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from chatrecord.sqlalchemy import Database, create_chat
from chatrecord.testing import Script, say

from .conftest import Run
from .rows import rows


@pytest.fixture
def kept(database: Path) -> Path:
    """A chat with one answer."""
    asyncio.run(_fill(database))
    return database


async def _fill(file: Path) -> None:
    async with Database(f"sqlite:///{file}") as db:
        await db.create_tables()
        chat = await create_chat(db, Script([say("hi")]))
        await chat.ask("Hi!")


def execute(file: Path, statement: str) -> None:
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute(statement)


def test_where_nothing_is_broken_it_says_so(kept: Path, call: Run) -> None:
    done = call("doctor")

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "Nothing was found\n")


def test_findings_are_reported_and_left_as_they_are(kept: Path, call: Run) -> None:
    execute(kept, "UPDATE llm_chats SET next_seq = 1")

    done = call("doctor")

    assert done.returncode == 1
    assert "llm_chats" in done.stdout
    assert "next_seq=1" in done.stdout
    assert done.stderr == "1 thing was found; --repair corrects what can be corrected\n"
    assert rows(kept, "SELECT next_seq FROM llm_chats") == [(1,)]


def test_what_can_be_repaired_is_repaired_on_request(kept: Path, call: Run) -> None:
    execute(kept, "UPDATE llm_chats SET next_seq = 1")

    done = call("doctor", "--repair", "--db", str(kept))

    assert (done.returncode, done.stderr) == (0, "1 thing was repaired\n")
    assert done.stdout.startswith("repaired: llm_chats")
    assert call("doctor").returncode == 0


def test_what_cannot_be_repaired_is_counted_and_fails(kept: Path, call: Run) -> None:
    execute(kept, "UPDATE llm_chats SET next_seq = 1")
    execute(kept, "UPDATE llm_messages SET role = 'oracle' WHERE seq = 1")

    done = call("doctor", "--repair")

    assert (done.returncode, done.stderr) == (1, "1 thing was repaired, 1 left\n")


def test_nothing_is_made_where_nothing_is(tmp_path: Path, call: Run) -> None:
    done = call("doctor", "--db", str(tmp_path / "none.db"))

    assert done.returncode == 1
    assert "There is no" in done.stderr
    assert not (tmp_path / "none.db").exists()


def test_a_database_without_the_tables_gets_none(tmp_path: Path, call: Run) -> None:
    empty = tmp_path / "empty.db"
    execute(empty, "CREATE TABLE other (id INTEGER)")

    done = call("doctor", "--db", str(empty))

    assert done.returncode == 1
    assert "llm_chats: the table is missing\n" in done.stdout
    assert "run `chatrecord migrate`" in done.stderr
    assert rows(empty, "SELECT name FROM sqlite_master") == [("other",)]


def test_a_schema_that_differs_is_reported_before_any_row(kept: Path, call: Run) -> None:
    execute(kept, "ALTER TABLE llm_requests DROP COLUMN list_cost")

    done = call("doctor")

    assert done.returncode == 1
    assert done.stdout == "llm_requests.list_cost: the column is missing\n"
    assert "run `chatrecord migrate`" in done.stderr


def test_rows_are_checked_where_only_an_index_is_missing(kept: Path, call: Run) -> None:
    execute(kept, "DROP INDEX ix_llm_runs_status_chat_id")
    execute(kept, "UPDATE llm_chats SET next_seq = 1")

    done = call("doctor")

    assert done.returncode == 1
    assert "llm_runs.status: the index on (status, chat_id) is missing" in done.stdout
    assert "next_seq=1" in done.stdout
