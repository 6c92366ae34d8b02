"""What a turn costs the database: few statements, whatever the length of the chat, all by index."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from plans import add, analyze, counting, explained, fill, scanned

from chatrecord import Compact
from chatrecord.runs import journal
from chatrecord.sqlalchemy import Database, create_chat, list_chats, load_chat
from chatrecord.store.window import Window
from chatrecord.testing import Script, call, say
from shared import lengthen


@pytest.mark.parametrize("length", [0, 2000])
async def test_a_plain_turn_is_two_commits_and_at_most_nine_statements(
    backend: Database[Any], length: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside the journal, whose ticks depend on how long the provider takes.

    Five begin the run: they take its numbers, add its run, question and request, and read the
    history. Four end it: one for each of its rows, and the event that tells of it.
    """
    monkeypatch.setattr(journal, "FLUSH_SECONDS", 60)
    chat = await create_chat(
        backend, Script([say("hello")], [say("again")]), window=Window(messages=50)
    )
    await chat.ask("warm up")
    await lengthen(backend, chat.id, length, await chat.messages())

    with counting(backend) as counted:
        await chat.ask("Hi!")

    assert counted.commits == 2
    assert len(counted.statements) <= 9, [sql for sql, _ in counted.statements]


async def test_a_turn_of_a_compacted_chat_is_one_statement_more(
    backend: Database[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "FLUSH_SECONDS", 60)
    compact = Compact(above=200, keep=1, llm=Script([say("gist")]))
    script = Script(*[[say("word " * 60)] for _ in range(4)], [say("short")])
    chat = await create_chat(backend, script, compact=compact)
    for _ in range(4):
        await chat.ask("Hi!")
    assert len(await chat.summaries()) == 1

    with counting(backend) as counted:
        await chat.ask("Hi!")

    assert counted.commits == 2
    assert len(counted.statements) <= 10, [sql for sql, _ in counted.statements]


async def test_the_versions_of_an_answer_take_four_statements_however_many_there_are(
    backend: Database[Any],
) -> None:
    """Three are the outline of the chat, and one is its versions."""
    chat = await create_chat(backend, Script(*([say(f"{n}")] for n in range(6))))
    reply = await chat.ask("Hi!")
    for _ in range(5):
        reply = await chat.regenerate()

    with counting(backend) as counted:
        found = await chat.branches(reply.message_id)

    assert [branch.message.text for branch in found] == [f"{n}" for n in range(6)]
    read = [sql for sql, _ in counted.statements if sql.startswith("SELECT")]
    assert len(read) == 4, read


async def test_no_query_of_a_turn_scans_a_table(backend: Database[Any]) -> None:
    script = Script([say("hello")], [call("add", a=1, b=2)], [say("3")])
    chat = await create_chat(
        backend, script, tools=[add], user_id="scan", window=Window(messages=20)
    )
    await chat.ask("warm up")
    await lengthen(backend, chat.id, 2000, (await chat.messages())[-2:])
    await fill(backend, 2000)
    await analyze(backend)

    with counting(backend) as counted:
        loaded = await load_chat(backend, script, chat.id, user_id="scan", tools=[add])
        await loaded.ask("1 + 2?", idempotency_key="k")
        await loaded.messages()
        await loaded.messages(before=50)
        await loaded.tool_calls()
        await loaded.requests()
        await loaded.usage()
        await backend.store.rows_of_runs(
            chat.id, [r.run_id for r in await loaded.messages() if r.run_id]
        )
        await backend.store.run_of_key(chat.id, "k")
        await list_chats(backend, user_id="scan")
        await list_chats(backend, user_id="scan", search="50%")
        await loaded.rename("50% off")
        compact = Compact(above=1000, keep=1, llm=Script([say("gist")]))
        script.then([say("compacted")], [say("anew")])
        compacted = await load_chat(backend, script, chat.id, user_id="scan", compact=compact,
                                    window=Window(messages=20))  # fmt: skip
        await compacted.ask("And now?")
        await compacted.regenerate()
        assert len(await compacted.summaries()) == 1
        await compacted.generate_title(llm=Script([say("Sums")]))

    assert len(counted.statements) > 12
    for sql, parameters in counted.statements:
        plan = await explained(backend, sql, parameters)
        assert not scanned(backend, plan), f"{sql}\n{plan}"


@pytest.fixture(autouse=True)
async def _told_apart(backend: Database[Any]) -> AsyncIterator[None]:
    """A plan that does scan is recognised, or the test above could not fail."""
    sql = "SELECT id FROM llm_messages WHERE status = 'nowhere'"
    assert scanned(backend, await explained(backend, sql, ())) == ["llm_messages"]
    yield
