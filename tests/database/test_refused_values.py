"""A value that a database will not take costs that value, and nothing beside it."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from chatrecord import DatabaseFailed
from chatrecord.sqlalchemy import Database, create_chat
from chatrecord.testing import Script, call, hang, say
from chatrecord.testing.look import answered_calls


async def test_a_call_whose_result_is_refused_is_answered_all_the_same(db: Database) -> None:
    """It would be made again when the run is resumed."""
    await refuse(db, "llm_messages", "INSERT", "content", "poison")
    booked: list[str] = []

    def book(place: str) -> str:
        booked.append(place)
        return "poison"

    script = Script([call("book", "c1", place="Rome")], [say("Booked.")], [say("Yes.")])
    chat = await create_chat(db, script, tools=[book])
    with pytest.raises(DatabaseFailed, match="refused"):
        await chat.ask("Book Rome")

    roles = [message.role for message in await chat.messages()]
    assert roles == ["user", "assistant", "tool", "assistant"]
    assert (await chat.resume()).text == "Booked."
    assert answered_calls(script.requests[-1]) == ["c1"]
    assert "could not be stored" in str(script.requests[-1])
    assert (await chat.ask("Really?")).text == "Yes."
    assert booked == ["Rome"]


async def test_a_piece_that_is_refused_ends_its_own_run_only(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'chats.db'}"
    async with Database(url, patience=timedelta(seconds=1)) as db:
        await db.create_tables()
        await refuse(db, "llm_chunks", "INSERT", "payload", "poison")
        words = ["word "] * 30
        innocent = await create_chat(db, Script([say(*words, pause=0.1)]))
        poisoned = await create_chat(db, Script([say("fine, ", "poison", pause=0.3), hang()]))
        answering = asyncio.create_task(innocent.ask("Go on"))
        await asyncio.sleep(0.2)

        with pytest.raises(DatabaseFailed, match="refused by a trigger"):
            await poisoned.ask("Spoil it")

        assert (await answering).text == "".join(words)


async def refuse(db: Database, table: str, event: str, column: str, word: str) -> None:
    """Have the database refuse rows that hold this word."""
    async with db.engine.begin() as connection:
        await connection.execute(
            text(
                f"CREATE TRIGGER refuse BEFORE {event} ON {table} WHEN NEW.{column} LIKE '%{word}%'"
                " BEGIN SELECT RAISE(ABORT, 'refused by a trigger'); END"
            )
        )
