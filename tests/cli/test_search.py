"""`chatrecord search`: what was said, for a person and for other programs."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from chatrecord.sqlalchemy import Database, create_chat
from chatrecord.testing import Script, say

from .conftest import Run


@pytest.fixture
def said(database: Path) -> Path:
    async def fill() -> None:
        async with Database(f"sqlite:///{database}") as db:
            await db.create_tables()
            for user in ("ann", "bob"):
                chat = await create_chat(
                    db, Script([say("In [bold]the lobby\x1b[31m.")]), user_id=user
                )
                await chat.ask("Where is the printer?")

    asyncio.run(fill())
    return database


def test_a_file_is_searched_at_once(said: Path, call: Run) -> None:
    done = call("search", "printer", "--user", "ann")

    (line,) = done.stdout.splitlines()
    assert line.split("\t")[2:] == ["user", "Where is the printer?"]
    assert done.returncode == 0

    assert call("search", "lobby").stdout.count("In [bold]the lobby[31m.") == 2


def test_hits_are_json_for_programs(said: Path, call: Run) -> None:
    hits = json.loads(call("search", "the lobby", "--json", "--limit", "1").stdout)

    assert [hit["role"] for hit in hits] == ["assistant"]
    assert hits[0]["snippet"]["marks"] == [[9, 12], [13, 18]]


def test_what_is_not_there_is_said(said: Path, call: Run) -> None:
    done = call("search", 'nowhere"')

    assert done.stdout == ""
    assert done.stderr == "Nothing here has 'nowhere\"' in it\n"
    assert call("search", "x" * 256).returncode == 1


def test_migrate_creates_the_index(said: Path, call: Run) -> None:
    done = call("migrate", "--search", "english")
    assert done.returncode == 0, done.stderr
    assert "english" in done.stderr

    assert call("search", "printers").stdout.count("\n") == 2
