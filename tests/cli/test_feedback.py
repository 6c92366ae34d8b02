"""`chatrecord feedback`: what people think of the answers."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from chatrecord.sqlalchemy import Database, create_chat
from chatrecord.testing import Script, say

from .conftest import Open, Run


@pytest.fixture
def rated(database: Path) -> list[str]:
    """The ids of a chat of ann, whose answer is disliked, and of one of bob, who likes his."""

    async def fill() -> list[str]:
        async with Database(f"sqlite:///{database}") as db:
            await db.create_tables()
            ids = []
            for user, value, comment in (("ann", -1, "Too\tlong"), ("bob", 1, None)):
                chat = await create_chat(db, Script([say("hi")]), user_id=user)
                reply = await chat.ask("Hi!")
                await chat.give_feedback(reply.message_id, value, comment=comment)
                ids.append(str(chat.id))
            return ids

    return asyncio.run(fill())


def test_feedback_is_added_up_in_groups(rated: list[str], call: Run) -> None:
    done = call("feedback", "--by", "user_id")

    assert done.stdout.splitlines() == [
        "user_id\tanswers\tpositive\tnegative\tmean",
        "ann\t1\t0\t1\t-1.00",
        "bob\t1\t1\t0\t1.00",
    ]
    (row,) = json.loads(call("feedback", "--by", "user_id", "--user", "bob", "--json").stdout)
    assert (row["by"], row["positive"]) == ({"user_id": "bob"}, 1)
    assert "Nobody" in call("feedback", "--until", "2020-01-01").stderr


def test_each_rating_is_listed_with_its_comment(rated: list[str], call: Run) -> None:
    done = call("feedback", "--list", "negative")

    names, line = done.stdout.splitlines()
    assert names.split("\t") == ["chat", "said", "value", "comment"]
    chat, _, value, comment = line.split("\t")
    assert (chat, value, comment) == (rated[0], "-1", "Too long")
    assert len(json.loads(call("feedback", "--list", "all", "--json").stdout)) == 2
    assert len(call("feedback", "--list", "all", "--limit", "1").stdout.splitlines()) == 2


def test_it_is_a_table_on_a_terminal(rated: list[str], terminal: Open) -> None:
    with terminal("feedback", "--by", "user_id") as screen:
        screen.until("negative")
        assert screen.wait() == 0


def test_an_unknown_group_is_named(rated: list[str], call: Run) -> None:
    done = call("feedback", "--by", "mood")

    assert (done.returncode, done.stdout) == (1, "")
    assert "mood" in done.stderr
