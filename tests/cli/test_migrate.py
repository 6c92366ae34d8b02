"""`chatrecord migrate`: the tables of an earlier version, changed or only told how."""

from __future__ import annotations

import asyncio
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest

from chatrecord.cli import main
from chatrecord.sqlalchemy.schema.revision import REVISION

from .conftest import Run
from .rows import rows
from .test_check import _create
from .test_doctor import execute

FIRST = Path(__file__).parents[1] / "database" / "schemas" / "0001.sqlite.sql"


@pytest.fixture
def earlier(database: Path) -> Path:
    """The tables of the first revision."""
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.executescript(FIRST.read_text())
    return database


def test_the_tables_are_migrated_once(earlier: Path, call: Run) -> None:
    done = call("migrate")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == f"The tables were migrated from revision 0001 to {REVISION}\n"
    assert call("check").returncode == 0

    again = call("migrate", "--db", str(earlier))
    assert again.stderr == f"The tables were at the newest revision already: {REVISION}\n"


def test_tables_are_created_where_there_are_none(database: Path, call: Run) -> None:
    assert call("migrate").stderr == f"The tables were created: revision {REVISION}\n"
    assert call("check").returncode == 0


def test_sql_prints_what_would_be_done_and_does_nothing(earlier: Path, call: Run) -> None:
    before = rows(earlier, "SELECT sql FROM sqlite_master")

    done = call("migrate", "--sql")

    assert (done.returncode, done.stderr) == (0, "")
    assert "ALTER TABLE llm_requests ADD COLUMN list_cost" in done.stdout
    assert rows(earlier, "SELECT sql FROM sqlite_master") == before
    with closing(sqlite3.connect(earlier)) as connection, connection:
        connection.executescript(done.stdout)
    assert call("check").returncode == 0


def test_sql_makes_no_file(tmp_path: Path, call: Run) -> None:
    assert call("migrate", "--sql", "--db", str(tmp_path / "none.db")).returncode == 1
    assert not (tmp_path / "none.db").exists()


def test_what_no_version_has_made_is_told_and_left(database: Path, call: Run) -> None:
    asyncio.run(_create(database))
    execute(database, "DROP INDEX ix_llm_messages_run_id")

    done = call("migrate")

    assert done.returncode == 1
    assert done.stdout == "llm_messages.run_id: the index on (run_id) is missing\n"
    assert "correct them yourself" in done.stderr


def test_a_missing_package_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in [*sys.modules]:
        if name == "alembic" or name.startswith(("chatrecord.alembic", "chatrecord.cli.migrate")):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "alembic", None)

    assert main(["migrate"]) == 1
    assert 'needs alembic: pip install "chatrecord[migrations]"' in capsys.readouterr().err


def test_tables_that_the_application_leaves_out_are_not_asked_for(earlier: Path, call: Run) -> None:
    execute(earlier, "DROP TABLE llm_requests")
    execute(earlier, "DROP TABLE llm_tool_calls")

    done = call("migrate")

    assert (done.returncode, done.stdout) == (0, "")
    assert call("check").returncode == 0
    assert not rows(earlier, "SELECT name FROM sqlite_master WHERE name = 'llm_requests'")
