"""A chat that is exported and imported is the same chat, from any database to any other."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from chatrecord import Chat, Compact
from chatrecord.errors import ChatExists, ChatNotFound, ImportInvalid, RunError
from chatrecord.sqlalchemy import Database, create_chat, export_chat, import_chat, load_chat
from chatrecord.testing import Script, call, fail, hang, say, think
from chatrecord.testing.conformance.shared import AWKWARD, PARSABLE, read
from chatrecord.testing.look import dumped, has_messages, until

PAIRED = "two lone ones \ud83e\udd91 that are no squid, and one that is \U0001f991"
RESULTS: list[Any] = [None, 0.1 + 0.2, 1e300, 2**80, -0.0, {"": [AWKWARD, PAIRED]}, "x" * 200_000]


def give(n: int) -> Any:
    """Give one of several things."""
    return RESULTS[n]


async def a_chat(db: Database, **options: Any) -> Chat:
    """One with everything in it: tools, reasoning, a failure, a file, text of every kind."""
    script = Script(
        [think("plan", signature="sig=="), *(call("give", n=n) for n in range(len(RESULTS)))],
        [say(AWKWARD), say(PAIRED)],
        [say("partial"), fail(RuntimeError(PARSABLE))],
        [say("after")],
        [say("anew")],
    )
    chat = await create_chat(
        db, script, tools=[give], title=AWKWARD, instructions=PAIRED, metadata={AWKWARD: [1.5]},
        retries=0, **options,
    )  # fmt: skip
    await chat.ask(AWKWARD, idempotency_key="k\x001")
    with pytest.raises(RunError):
        await chat.ask("break")
    reply = await chat.ask("go on")
    await chat.give_feedback(reply.message_id, -1, comment=AWKWARD, owner="ann")
    async for _ in chat.regenerate():
        pass
    return chat


async def lines_of(db: Database, chat_id: UUID | str, **scope: Any) -> list[str]:
    return [line async for line in export_chat(db, chat_id, **scope)]


@pytest.fixture
async def target(db: Database) -> Database:
    """A SQLite file, to import into."""
    return db


async def test_an_imported_chat_is_exported_again_to_the_letter(
    backend: Database, target: Database
) -> None:
    chat = await a_chat(backend, user_id="ann")
    lines = await lines_of(backend, chat.id)

    stored = await import_chat(target, lines)

    assert await lines_of(target, chat.id) == lines
    assert (stored.id, stored.columns["user_id"]) == (chat.id, "ann")
    assert await (await load_chat(target, Script(), chat.id)).requests() == await chat.requests()


async def test_a_chat_is_moved_from_sqlite_to_any_database(db: Database, backend: Database) -> None:
    chat = await a_chat(db, user_id="ann")
    lines = await lines_of(db, chat.id)

    await import_chat(backend, lines)

    # As values: PostgreSQL has an order of its own for the keys of metadata and settings.
    parsed = [json.loads(line) for line in lines]
    assert [json.loads(line) for line in await lines_of(backend, chat.id)] == parsed
    again, held = Script([say("well")]), Script([say("well")])
    await (await load_chat(backend, again, chat.id, tools=[give])).ask("next")
    await (await load_chat(db, held, chat.id, tools=[give])).ask("next")
    before, after = dumped(held.requests[0]), dumped(again.requests[0])
    assert before[:-1] == after[:-1]


async def test_an_imported_chat_continues(backend: Database, target: Database) -> None:
    chat = await a_chat(backend)
    await import_chat(target, await lines_of(backend, chat.id))

    imported = await load_chat(target, Script([say("yes")]), chat.id, tools=[give])

    assert (await imported.ask("Still there?")).text == "yes"
    numbers = [message.seq for message in await imported.messages(limit=99)]
    assert len(set(numbers)) == len(numbers)


async def test_summaries_are_imported_too(backend: Database, target: Database) -> None:
    compact = Compact(above=100, keep=1, llm=Script([say("gist")]))
    chat = await create_chat(
        backend, Script(*[[say("word " * 60)] for _ in range(3)]), compact=compact
    )
    for n in range(3):
        await chat.ask(f"q{n}")

    lines = await lines_of(backend, chat.id)
    await import_chat(target, lines)

    assert await lines_of(target, chat.id) == lines
    script = Script([say("yes")])
    imported = await load_chat(target, script, chat.id, compact=compact)
    assert await imported.summaries() == await chat.summaries() != []
    await imported.ask("Still there?")
    assert "gist" in str(script.requests[0])
    assert "q0" not in str(script.requests[0])


@pytest.mark.parametrize("change", [{"seq": 3}, {"role": "user"}, {"content": {"covers": 1}}])
async def test_a_summary_that_cannot_be_is_refused(
    backend: Database, target: Database, change: dict[str, Any]
) -> None:
    compact = Compact(above=100, keep=1, llm=Script([say("gist")]))
    chat = await create_chat(
        backend, Script(*[[say("word " * 60)] for _ in range(3)]), compact=compact
    )
    for n in range(3):
        await chat.ask(f"q{n}")
    rows = [json.loads(line) for line in await lines_of(backend, chat.id)]
    summary = next(row for row in rows if row.get("role") == "summary")
    summary |= change
    rows = [row for row in rows if row is summary or row.get("seq") != summary["seq"]]
    rows[-1]["rows"] = len(rows) - 3

    with pytest.raises(ImportInvalid, match="summary"):
        await import_chat(target, [json.dumps(row) for row in rows])


async def test_lines_are_ascii_json_and_say_their_kind(backend: Database) -> None:
    chat = await a_chat(backend)

    lines = await lines_of(backend, chat.id)

    assert all(line.isascii() and "\n" not in line for line in lines)
    kinds = [json.loads(line)["kind"] for line in lines]
    assert kinds[:2] == ["chatrecord", "chat"]
    assert kinds[-1] == "end"
    assert {"run", "message", "tool_call", "request"} <= set(kinds)


async def test_a_chat_that_is_there_is_not_imported_over(backend: Database) -> None:
    chat = await a_chat(backend)
    lines = await lines_of(backend, chat.id)

    with pytest.raises(ChatExists, match="new_ids=True"):
        await import_chat(backend, lines)
    other_id = lines[1].replace(str(chat.id), "01890000-0000-7000-8000-000000000001")
    with pytest.raises(ChatExists):
        await import_chat(backend, [lines[0], other_id, *lines[2:]])

    assert await lines_of(backend, chat.id) == lines
    with pytest.raises(ChatNotFound):
        await lines_of(backend, "01890000-0000-7000-8000-000000000001")


async def test_a_copy_has_ids_of_its_own_and_the_same_history(backend: Database) -> None:
    chat = await a_chat(backend, user_id="ann")

    copy = await import_chat(backend, export_chat(backend, chat.id), new_ids=True, user_id="bob")

    assert copy.id != chat.id
    assert copy.columns["user_id"] == "bob"
    one, two = Script([say("ok")]), Script([say("ok")])
    await (await load_chat(backend, one, chat.id, tools=[give])).ask("next")
    copied = await load_chat(backend, two, copy.id, tools=[give], user_id="bob")
    await copied.ask("next")
    assert dumped(one.requests[0])[:-1] == dumped(two.requests[0])[:-1]
    ours = {row.id for row in (*await chat.messages(99), *await chat.tool_calls())}
    theirs = {row.id for row in (*await copied.messages(99), *await copied.tool_calls())}
    assert ours.isdisjoint(theirs)
    texts = [message.text for message in await copied.messages(99)]
    assert [message.text for message in await chat.messages(99)][:-1] == texts[:-1]


async def test_branches_move_with_their_chat(backend: Database, target: Database) -> None:
    script = Script([say("old")], [say("new")], [say("after old")])
    chat = await create_chat(backend, script, user_id="ann")
    old = await chat.ask("q")
    new = await chat.regenerate()
    await chat.restore(old.message_id)
    await chat.ask("q2")
    await chat.restore(new.message_id)

    moved = await import_chat(target, await lines_of(backend, chat.id))

    there = await load_chat(target, "test", moved.id)
    await there.restore(old.message_id)
    current = [it.text for it in await there.messages() if it.status != "superseded"]
    assert current == ["q", "old", "q2", "after old"]


async def test_a_chat_is_exported_only_within_its_scope(backend: Database) -> None:
    chat = await create_chat(backend, Script(), user_id="ann")

    for scope in ({"user_id": "bob"}, {"user_id": None}):
        with pytest.raises(ChatNotFound):
            await lines_of(backend, chat.id, **scope)
    assert await lines_of(backend, str(chat.id), user_id="ann")
    with pytest.raises(ChatNotFound):
        await lines_of(backend, "nonsense")


async def test_a_live_answer_is_exported_as_of_now(backend: Database, target: Database) -> None:
    chat = await create_chat(backend, Script([say("so far ", "so good"), hang()]))
    reading = asyncio.create_task(read(chat.stream("Hi")))
    await until(lambda: has_messages(chat))
    await until(lambda: has_text(backend, chat, "so far so good"))

    lines = await lines_of(backend, chat.id)
    await import_chat(target, lines)

    assert await chat.active_run() is not None, "the run goes on where it was"
    imported = await load_chat(target, Script([say("more")]), chat.id)
    *_, answer = await imported.messages()
    assert (answer.text, answer.status) == ("so far so good", "interrupted")
    assert await imported.active_run() is None
    assert (await imported.ask("And?")).text == "more"
    await chat.stop()
    await asyncio.gather(reading, return_exceptions=True)


async def has_text(backend: Database, chat: Chat, text: str) -> bool:
    *_, answer = await chat.messages()
    entries = await backend.store.journal(answer.id, after=-1)
    return "".join(entry.piece[1] for entry in entries) == text


async def test_a_chat_that_waits_for_approval_waits_on(backend: Database, target: Database) -> None:
    from pydantic_ai import Tool

    paid: list[int] = []

    def pay(n: int) -> str:
        paid.append(n)
        return "paid"

    tools = [Tool(pay, requires_approval=True)]
    chat = await create_chat(backend, Script([call("pay", "c1", n=5)]), tools=tools)
    await chat.ask("Pay 5")

    await import_chat(target, await lines_of(backend, chat.id))

    imported = await load_chat(target, Script([say("done")]), chat.id, tools=tools)
    (waiting,) = await imported.pending_approvals()
    await imported.approve(waiting.call_id)
    async for _ in imported.resume():
        pass
    assert paid == [5]


async def test_the_export_sees_one_moment(backend: Database, elsewhere: Database) -> None:
    chat = await create_chat(backend, Script([say("one")], [say("two")], [say("three")]))
    await chat.ask("1")
    whole = await lines_of(backend, chat.id)
    reader = export_chat(elsewhere, chat.id)
    first = [await anext(reader), await anext(reader)]

    await chat.ask("2")
    async for _ in chat.regenerate():
        pass

    assert first + [line async for line in reader] == whole


async def test_nothing_is_written_of_an_import_that_fails_in_the_middle(
    backend: Database, target: Database
) -> None:
    chat = await a_chat(backend)
    lines = await lines_of(backend, chat.id)
    taken = await create_chat(target, Script([say("hi")]))
    await taken.ask("Hi")
    (message, *_) = await taken.messages()
    theirs = next(json.loads(line)["id"] for line in lines if '"kind":"message"' in line)
    clashing = [line.replace(theirs, str(message.id)) for line in lines]

    with pytest.raises(ChatExists):
        await import_chat(target, clashing)

    with pytest.raises(ChatNotFound):
        await load_chat(target, Script(), chat.id)
    await import_chat(target, lines)


async def test_what_is_not_kept_is_not_imported(backend: Database, tmp_path: Path) -> None:
    chat = await a_chat(backend)
    url = f"sqlite:///{tmp_path / 'small.db'}"
    async with Database(url, keep_tool_calls=False, keep_requests=False) as small:
        await small.create_tables()

        await import_chat(small, await lines_of(backend, chat.id))

        kinds = {json.loads(line)["kind"] for line in await lines_of(small, chat.id)}
        assert kinds == {"chatrecord", "chat", "run", "message", "feedback", "end"}


async def test_an_export_from_elsewhere_than_a_file(backend: Database, target: Database) -> None:
    chat = await a_chat(backend)
    whole = "\n".join(await lines_of(backend, chat.id)) + "\n\n"

    async def as_bytes() -> AsyncIterator[bytes]:
        for line in whole.encode().split(b"\n"):
            yield line

    await import_chat(target, as_bytes())

    with pytest.raises(TypeError, match="iterable of lines"):
        await import_chat(target, whole)
    with pytest.raises(ImportInvalid, match="cut off"):
        await import_chat(target, [])


async def test_bytes_that_a_tool_returned_move_with_their_chat(db: Database) -> None:
    def give() -> bytes:
        return b"\xff\x00"

    chat = await create_chat(db, Script([call("give")], [say("ok")]), tools=[give])
    await chat.ask("Give")

    copy = await import_chat(db, export_chat(db, chat.id), new_ids=True)

    moved = await load_chat(db, Script(), copy.id)
    assert [row.result for row in await moved.tool_calls()] == [{"type": "bytes", "base64": "/wA="}]


async def test_an_export_of_before_there_were_list_costs_is_imported(
    backend: Database, target: Database
) -> None:
    chat = await create_chat(backend, Known([say("hi")]))
    reply = await chat.ask("Hi")
    rows = [json.loads(line) for line in await lines_of(backend, chat.id)]
    (request,) = (row for row in rows if row["kind"] == "request")
    assert request["list_cost"] == request["cost"] == str(reply.cost)
    del request["list_cost"]

    await import_chat(target, [json.dumps(row) for row in rows])

    (imported,) = await (await load_chat(target, Script(), chat.id)).requests()
    assert (imported.cost, imported.list_cost) == (reply.cost, None)


class Known(Script):
    """A script by the name of a model whose price is known."""

    model_name = "gpt-4o"
    system = "openai"
