"""Processes on one database whose clocks differ."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from chatrecord import Chat, ids
from chatrecord.errors import LeaseLost, RunInterrupted
from chatrecord.hooks import Hook, Sending
from chatrecord.spending.budgets import Spending
from chatrecord.sqlalchemy import Database, create_chat
from chatrecord.store.changes import BudgetCheck
from chatrecord.testing import Script, call, hang, say
from chatrecord.testing.look import answered_calls, die, load, until

MINUTE = 60 * 10**9
"""Nanoseconds."""


@pytest.fixture
def minute_ahead(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The ids of this process tell a time that has not come. `undo()` sets its clock right."""
    monkeypatch.setattr(ids, "_last", 0)
    monkeypatch.setattr(ids.time, "time_ns", lambda now=time.time_ns: now() + MINUTE)
    return monkeypatch


async def test_a_run_is_resumed_and_repaired_by_processes_whose_clocks_are_behind(
    backend: Database, elsewhere: Database, minute_ahead: pytest.MonkeyPatch
) -> None:
    started = asyncio.Event()

    async def forever() -> None:
        started.set()
        await asyncio.Event().wait()

    chat = await create_chat(backend, Script([say("half"), hang()]))
    asking = asyncio.create_task(chat.ask("Go"))
    await until(lambda: _is_live(chat))
    await chat.stop()
    with pytest.raises(RunInterrupted):
        await asking
    minute_ahead.undo()
    script = Script([call("forever", "c1"), call("forever", "c2")], [say("on")])
    twin = await load(elsewhere, chat, script, tools=[forever])
    resuming = asyncio.create_task(_resumed(twin))
    await asyncio.wait_for(started.wait(), 5)
    await die(elsewhere, twin)

    reply = await (again := await load(backend, chat, script, tools=[forever])).ask("Go on")

    assert reply.text == "on"
    assert answered_calls(script.requests[-1]) == ["c1", "c2"]
    calls = await again.tool_calls()
    assert [(each.call_id, each.status) for each in calls] == [
        ("c1", "interrupted"), ("c2", "interrupted"),
    ]  # fmt: skip
    assert sorted(each.status for each in await again.requests()) == [
        "complete", "complete", "interrupted",
    ]  # fmt: skip
    elsewhere.runtime.journal.go_on()
    with pytest.raises(LeaseLost):
        await resuming


async def test_a_request_counts_from_when_it_is_sent_and_not_from_when_it_got_its_id(
    backend: Database,
) -> None:
    """Such as one that a hook looks at over midnight. A second does not count."""
    sent: list[datetime] = []

    class Slow(Hook):
        async def before_request(self, sending: Sending) -> None:
            await asyncio.sleep(1.1)
            sent.append(datetime.now(UTC))

    chat = await create_chat(backend, Script([say("x")]), hooks=[Slow()])
    await chat.ask("q")
    (request,) = await chat.requests()
    seen: list[Spending] = []

    def allows(spending: Spending) -> bool:
        seen.append(spending)
        return False

    since_then = BudgetCheck("chat_id", sent[0], allows)
    await backend.store.reserve(replace(request, id=ids.new_id()), None, [since_then])

    assert seen[0].used.requests == 1


async def _resumed(chat: Chat) -> None:
    await chat.resume()


async def _is_live(chat: Chat) -> bool:
    return await chat.active_run() is not None
