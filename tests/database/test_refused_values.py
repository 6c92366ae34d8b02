"""A value that a database will not take costs that value, and nothing beside it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic_ai import Tool
from sqlalchemy import text

from chatrecord.errors import DatabaseFailed, RunError
from chatrecord.runs.recorder import RunRecorder
from chatrecord.sqlalchemy import Database, create_chat
from chatrecord.testing import Script, call, fail, hang, say
from chatrecord.testing.look import answered_calls


@pytest.fixture
async def mariadb_db(mariadb_url: str) -> AsyncIterator[Database]:
    async with Database(mariadb_url) as db:
        yield db


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

        with pytest.raises(DatabaseFailed, match="refused a value: IntegrityError"):
            await poisoned.ask("Spoil it")

        assert (await answering).text == "".join(words)


async def test_a_run_whose_parking_is_refused_has_one_result_for_each_call(db: Database) -> None:
    """Such as for a value in a tool's result. The message with the results was in it as well."""
    await refuse(db, "llm_runs", "UPDATE", "status", "parked")
    tools = [Tool(small), Tool(huge, requires_approval=True)]
    script = Script([call("small", "c1"), call("huge", "c2")], [say("on")])
    chat = await create_chat(db, script, tools=tools)
    with pytest.raises(RunError, match="could not be stored"):
        await chat.ask("Go")

    assert await db.doctor() == []
    assert {row.call_id: row.status for row in await chat.tool_calls()} == {
        "c1": "complete", "c2": "interrupted",
    }  # fmt: skip
    assert (await chat.ask("And?")).text == "on"
    assert answered_calls(script.requests[-1]) == ["c1", "c2"]


async def refuse(db: Database, table: str, event: str, column: str, word: str) -> None:
    """Have the database refuse rows that hold this word."""
    async with db.engine.begin() as connection:
        await connection.execute(
            text(
                f"CREATE TRIGGER refuse BEFORE {event} ON {table} WHEN NEW.{column} LIKE '%{word}%'"
                " BEGIN SELECT RAISE(ABORT, 'refused by a trigger'); END"
            )
        )


async def test_a_result_larger_than_a_packet_of_the_server_ends_its_run_at_once(
    mariadb_db: Database,
) -> None:
    """The server hangs up without a word: it looks as if the connection were lost."""
    script = Script([say("Wait. "), call("small", "c1"), call("huge", "c2")], [say("on")])
    chat = await create_chat(mariadb_db, script, tools=[small, huge])

    with pytest.raises(DatabaseFailed, match="max_allowed_packet"):
        await chat.ask("Go")

    assert await chat.active_run() is None
    rows = {row.call_id: row for row in await chat.tool_calls()}
    assert (rows["c1"].status, rows["c1"].result) == ("complete", "small")
    assert (rows["c2"].status, rows["c2"].error) == ("failed", "The result could not be stored")
    assert (await chat.messages())[1].content is not None
    assert (await chat.ask("And?")).text == "on"
    assert answered_calls(script.requests[-1]) == ["c1", "c2"]


async def test_an_answer_larger_than_a_packet_is_stored_as_far_as_it_fits(
    mariadb_db: Database,
) -> None:
    script = Script([say(*["z" * 1_000_000] * 18)], [say("on")])
    chat = await create_chat(mariadb_db, script)

    # The oldest driver loses count of its packets before the server hangs up.
    with pytest.raises(RunError, match=r"max_allowed_packet|refused a value: InternalError"):
        await chat.ask("Go")

    assert await chat.active_run() is None
    (prompt, answer) = await chat.messages()
    assert len(answer.text) > 12_000_000
    assert prompt.content is not None
    assert (await chat.ask("And?")).text == "on"


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
async def test_a_number_that_is_no_json_is_stored_by_its_name(
    backend: Database, number: str
) -> None:
    given: list[float] = []

    def rate(x: float) -> float:
        given.append(x)
        return x

    script = Script([call("rate", "c1", arguments=f'{{"x": {number}}}')], [say("done")])
    chat = await create_chat(backend, script, tools=[rate])

    assert (await chat.ask("Go")).text == "done"

    (row,) = await chat.tool_calls()
    assert row.status == "complete"
    assert row.arguments == {"x": str(given[0])}
    assert row.result == str(given[0])


@pytest.mark.parametrize("depth", [200, 3000])
async def test_a_result_that_is_nested_too_deep_ends_its_run_with_the_cause(
    backend: Database, depth: int
) -> None:
    def deep() -> object:
        value: object = "x"
        for _ in range(depth):
            value = [value]
        return value

    script = Script([say("Wait. "), call("deep", "c1")], [say("on")], [say("on")])
    chat = await create_chat(backend, script, tools=[deep])

    with suppress(RunError):
        await chat.ask("Go")

    assert await chat.active_run() is None
    (row,) = await chat.tool_calls()
    assert row.status == "complete"
    assert (await chat.ask("And?")).text == "on"
    assert answered_calls(script.requests[-1]) == ["c1"]


async def test_an_end_that_cannot_be_written_at_all_frees_its_chat(db: Database) -> None:
    """Whatever goes wrong in the handler of a failure."""
    chat = await create_chat(db, Script([say("half"), fail(OSError("away"))], [say("on")]))
    give_up, RunRecorder.give_up = RunRecorder.give_up, _broken  # type: ignore[method-assign]
    try:
        with pytest.raises(RunError) as failure:
            await chat.ask("Go")
    finally:
        RunRecorder.give_up = give_up  # type: ignore[method-assign]

    assert "could not be stored" in str(failure.value.__notes__)
    assert await chat.active_run() is None
    run_id = (await chat.messages())[-1].run_id
    assert run_id is not None
    run = await db.store.get_run(chat.id, run_id)
    assert run is not None
    assert (run.status, run.epoch) == ("interrupted", 2), "a task that is left writes no more"
    assert (await chat.ask("And?")).text == "on"


async def test_a_submitted_run_whose_end_cannot_be_written_is_not_tried_for_ever(
    db: Database,
) -> None:
    chat = await create_chat(db, Script())
    run_id = await chat.submit("Go")
    script = Script([say("half"), fail(OSError("away"))])
    give_up, RunRecorder.give_up = RunRecorder.give_up, _broken  # type: ignore[method-assign]
    try:
        with pytest.raises(RunError):
            await db.work_on(run_id, lambda _: script)
    finally:
        RunRecorder.give_up = give_up  # type: ignore[method-assign]

    assert [run.status for run in await chat.runs()] == ["interrupted"]
    assert await db.store.ready_runs(limit=1) == []


def _broken(*_given: object) -> None:
    msg = "the handler has a fault of its own"
    raise ZeroDivisionError(msg)


def small() -> str:
    return "small"


def huge() -> str:
    return "y" * 17_000_000
