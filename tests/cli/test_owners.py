"""`chatrecord export --owner` and `chatrecord erase`: all of one user's chats, and no other's."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from chatrecord.sqlalchemy import Database, create_chat, delete_chat
from chatrecord.testing import Script, say

from .conftest import Open, Run
from .rows import rows


@pytest.fixture
def chats(database: Path) -> Path:
    """Two chats of ann, one of them deleted for a time, and one of bob."""

    async def fill() -> None:
        async with Database(f"sqlite:///{database}") as db:
            await db.create_tables()
            for user in ("ann", "ann", "bob"):
                chat = await create_chat(db, Script([say("hi")]), user_id=user)
                await chat.ask("Hi!")
                if user == "ann":
                    last = chat.id
            await delete_chat(db, last, soft=True, user_id="ann")

    asyncio.run(fill())
    return database


def owners(file: Path) -> list[str]:
    return [user for (user,) in rows(file, "SELECT user_id FROM llm_chats ORDER BY user_id")]


def test_everything_of_an_owner_is_exported(chats: Path, call: Run, tmp_path: Path) -> None:
    done = call("export", "--owner", "ann", "--to", "anns")

    assert (done.returncode, done.stderr) == (0, "2 chats exported to anns\n")
    files = list((tmp_path / "anns").iterdir())
    assert len(files) == 2
    assert all('"ann"' in path.read_text() for path in files)


def test_an_export_needs_a_chat_or_an_owner(chats: Path, call: Run) -> None:
    assert "Name a chat" in call("export").stderr
    assert "--to FOLDER" in call("export", "--owner", "ann").stderr


def test_everything_of_an_owner_is_erased(chats: Path, call: Run) -> None:
    done = call("erase", "--owner", "ann", "--yes")

    assert (done.returncode, done.stderr) == (0, "2 chats deleted\n")
    assert owners(chats) == ["bob"]
    assert rows(chats, "SELECT count(*) FROM llm_messages") == [(2,)]


def test_nothing_is_erased_unasked(chats: Path, call: Run) -> None:
    done = call("erase", "--owner", "ann")

    assert done.returncode == 1
    assert "pass --yes" in done.stderr
    assert len(owners(chats)) == 3


def test_erasing_asks_first(chats: Path, terminal: Open) -> None:
    with terminal("erase", "--owner", "ann") as screen:
        screen.until("Delete 2 chats of ann for good?")
        screen.type("n\r")
        assert screen.wait() == 0
    assert len(owners(chats)) == 3
