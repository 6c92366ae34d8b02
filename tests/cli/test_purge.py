"""`chatrecord purge`: asks, deletes, and says how many."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from chatrecord.sqlalchemy import Database, create_chat
from chatrecord.sqlalchemy.tables import Chat
from chatrecord.testing import Script, say

from .conftest import Open, Run
from .rows import rows


@pytest.fixture
def old(database: Path) -> Path:
    """A chat of today, and two of different users that are a hundred days old."""
    asyncio.run(_fill(database))
    return database


async def _fill(file: Path) -> None:
    async with Database(f"sqlite:///{file}") as db:
        await db.create_tables()
        for title, user, days in (("new", "ann", 0), ("old", "ann", 100), ("older", "bob", 101)):
            chat = await create_chat(db, Script([say("hi")]), title=title, user_id=user)
            await chat.ask("Hi!")
            used = datetime.now(UTC) - timedelta(days=days)
            async with db.engine.begin() as connection:
                statement = update(Chat).where(Chat.id == chat.id).values(updated_at=used)
                await connection.execute(statement)


def titles(file: Path) -> list[str]:
    return [title for (title,) in rows(file, "SELECT title FROM llm_chats ORDER BY title")]


@pytest.mark.parametrize("time", ["90d", "12w", "2000h"])
def test_what_is_old_is_deleted_and_counted(old: Path, call: Run, time: str) -> None:
    done = call("purge", "--older-than", time, "--yes")

    assert (done.returncode, done.stderr) == (0, "2 chats deleted\n")
    assert titles(old) == ["new"]
    assert rows(old, "SELECT count(*) FROM llm_requests") == [(1,)]


def test_only_this_users_and_the_requests_are_kept(old: Path, call: Run) -> None:
    done = call("purge", "--older-than", "90d", "--user", "ann", "--audit", "keep", "--yes")

    assert done.stderr == "1 chat deleted\n"
    assert titles(old) == ["new", "older"]
    assert rows(old, "SELECT count(*) FROM llm_requests") == [(3,)]


def test_a_day_says_it_too(old: Path, call: Run) -> None:
    day = (datetime.now(UTC) - timedelta(days=100)).date()

    assert call("purge", "--older-than", str(day), "--yes").stderr == "1 chat deleted\n"


def test_where_nobody_can_be_asked_it_says_so(old: Path, run: Run) -> None:
    done = run("purge", "--older-than", "90d")

    assert (done.returncode, done.stdout) == (1, "")
    assert "--yes" in done.stderr
    assert len(titles(old)) == 3


@pytest.mark.parametrize(("answer", "left"), [("y", 1), ("", 3), ("n", 3)])
def test_it_asks_first(old: Path, terminal: Open, answer: str, left: int) -> None:
    with terminal("purge", "--older-than", "90d") as screen:
        screen.until("Delete 2 chats")
        screen.type(answer)
        assert screen.wait() == 0

    assert len(titles(old)) == left


@pytest.mark.parametrize("time", ["soon", "90", "d", "-1d", "9999999999999d"])
def test_what_is_no_time_is_refused(
    call: Run, capsys: pytest.CaptureFixture[str], time: str
) -> None:
    with pytest.raises(SystemExit):
        call("purge", f"--older-than={time}", "--yes")

    assert f"{time} is" in capsys.readouterr().err
