"""`chatrecord check`: what differs from the schema that this version needs, by its exit status too."""

from __future__ import annotations

import asyncio
from pathlib import Path

from chatrecord.sqlalchemy import Database

from .conftest import Run
from .test_doctor import execute


def test_the_tables_of_this_version_are_as_it_needs_them(database: Path, call: Run) -> None:
    asyncio.run(_create(database))

    done = call("check")

    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "The tables are as this version needs them\n"


def test_each_difference_is_a_line(database: Path, call: Run) -> None:
    asyncio.run(_create(database))
    execute(database, "ALTER TABLE llm_requests DROP COLUMN list_cost")
    execute(database, "DROP TABLE llm_attachments")

    done = call("check")

    assert done.returncode == 1
    assert done.stdout.splitlines() == [
        "llm_attachments: the table is missing",
        "llm_requests.list_cost: the column is missing",
    ]
    assert "run `chatrecord migrate`" in done.stderr


def test_nothing_is_made_where_nothing_is(tmp_path: Path, call: Run) -> None:
    done = call("check", "--db", str(tmp_path / "none.db"))

    assert done.returncode == 1
    assert not (tmp_path / "none.db").exists()


async def _create(file: Path) -> None:
    async with Database(f"sqlite:///{file}") as db:
        await db.create_tables()
