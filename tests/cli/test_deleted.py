"""Chats that were deleted for a time: listed, restored, and deleted for good."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from chatrecord.sqlalchemy import Database, create_chat, delete_chat
from chatrecord.sqlalchemy.tables import Chat
from chatrecord.testing import Script, say

from .conftest import Run
from .rows import rows


@pytest.fixture
def deleted(database: Path) -> dict[str, str]:
    """The ids of three chats by their titles; two were deleted, one of them long ago."""

    async def fill() -> dict[str, str]:
        async with Database(f"sqlite:///{database}") as db:
            await db.create_tables()
            ids = {}
            for title, user, days in (("here", "ann", None), ("new", "ann", 1), ("old", "bob", 99)):
                chat = await create_chat(db, Script([say("hi")]), title=title, user_id=user)
                await chat.ask("Hi!")
                ids[title] = str(chat.id)
                if days is not None:
                    await delete_chat(db, chat.id, soft=True)
                    ago = {"deleted_at": datetime.now(UTC) - timedelta(days=days)}
                    async with db.engine.begin() as connection:
                        await connection.execute(update(Chat).where(Chat.id == chat.id).values(ago))
            return ids

    return asyncio.run(fill())


def titles(output: str) -> list[str]:
    return [line.split("\t")[-1] for line in output.splitlines()]


def test_what_was_deleted_is_listed(deleted: dict[str, str], call: Run) -> None:
    assert titles(call("chats").stdout) == ["here"]
    assert titles(call("chats", "--deleted").stdout) == ["old", "new"]
    (chat,) = json.loads(call("chats", "--deleted", "--user", "ann", "--json").stdout)
    assert chat["id"] == deleted["new"]


def test_a_chat_is_restored_by_the_beginning_of_its_id(deleted: dict[str, str], call: Run) -> None:
    done = call("restore", deleted["new"])

    assert (done.returncode, done.stdout) == (0, "")
    assert "restored" in done.stderr
    assert sorted(titles(call("chats").stdout)) == ["here", "new"]
    assert titles(call("chats", "--deleted").stdout) == ["old"]
    again = call("restore", deleted["new"])
    assert again.returncode == 1
    assert "chats --deleted" in again.stderr


def test_no_other_users_chat_is_restored(deleted: dict[str, str], call: Run) -> None:
    assert call("restore", deleted["old"], "--user", "ann").returncode == 1
    assert titles(call("chats", "--deleted").stdout) == ["old", "new"]


def test_what_was_deleted_long_ago_is_deleted_for_good(
    deleted: dict[str, str], database: Path, call: Run
) -> None:
    done = call("purge", "--deleted-before", "30d", "--yes")

    assert (done.returncode, done.stderr) == (0, "1 chat deleted\n")
    left = rows(database, "SELECT title FROM llm_chats ORDER BY title")
    assert left == [("here",), ("new",)]


def test_a_purge_takes_exactly_one_of_both_times(
    call: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    for times in ([], ["--older-than", "1d", "--deleted-before", "1d"]):
        with pytest.raises(SystemExit):
            call("purge", "--yes", *times)
        assert "--deleted-before" in capsys.readouterr().err
