"""Nothing waits without a bound: for a task that never ran, a hook that hangs, a tool that does not
let go."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic_ai import Tool

from chatrecord import Compact, Limits
from chatrecord.errors import HookFailed, RunError, RunInterrupted, TimeLimitExceeded
from chatrecord.hooks import Hook, RunEnd, Sending, ToolUse
from chatrecord.runs.live_run import LiveRun
from chatrecord.sqlalchemy import Database, create_chat, load_chat
from chatrecord.testing import Script, call, fail, hang, meet, say, think
from chatrecord.testing.look import has_journal, until


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chatrecord.runs.cancellation.LET_GO", 0.2)


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    gate = threading.Event()
    yield gate
    gate.set()


async def test_a_run_that_is_cancelled_before_its_first_step_ends_what_waits_for_it(
    db: Database,
) -> None:
    chat = await create_chat(db, Script([say("x")]))
    asking = asyncio.create_task(chat.ask("q"))
    while not (runs := _tasks("chatrecord run")):  # noqa: ASYNC110 - a task sets no event
        await asyncio.sleep(0)
    runs[0].cancel()

    with pytest.raises(RunInterrupted):
        await asyncio.wait_for(asking, 5)
    assert (await chat.ask("q")).text == "x"
    await asyncio.wait_for(db.close(), 5)


@pytest.mark.parametrize("name", ["chatrecord journal", "chatrecord watcher"])
async def test_a_cancelled_task_keeps_nobody_waiting(db: Database, name: str) -> None:
    """As a framework does that cancels all tasks of its loop."""
    chat = await create_chat(db, Script([say(*"abcdefgh", pause=0.05)]))
    streaming = asyncio.ensure_future(_read(chat.stream("q")))
    await until(lambda: has_journal(db, chat))
    async with Database(db.engine) as twin:
        reader = await load_chat(twin, Script(), chat.id)
        following = asyncio.ensure_future(_read(reader.follow()))
        while not _tasks(name):  # noqa: ASYNC110 - a task sets no event
            await asyncio.sleep(0.01)
        for task in _tasks(name):
            task.cancel()

        assert await asyncio.wait_for(streaming, 5) == "abcdefgh"
        await asyncio.wait([following], timeout=5)
        assert following.done()
        following.exception()


async def test_a_hook_that_hangs_holds_no_chat(db: Database) -> None:
    class Hanging(Hook):
        async def on_run_end(self, end: RunEnd) -> None:
            await asyncio.Event().wait()

    limits = Limits(hook_timeout=0.1)
    chat = await create_chat(db, Script([say("x")]), hooks=[Hanging()], limits=limits)

    with pytest.raises(HookFailed, match="hook_timeout"):
        await asyncio.wait_for(chat.ask("q"), 5)

    assert await chat.active_run() is None
    assert [message.text for message in await chat.messages()] == ["q", "x"]


@pytest.mark.parametrize("is_in_a_thread", [True, False])
@pytest.mark.parametrize("ends", ["stop", "close", "time"])
async def test_a_tool_that_does_not_let_go_holds_no_run(
    db: Database, gate: threading.Event, ends: str, is_in_a_thread: bool
) -> None:
    started = threading.Event()

    def blocking() -> str:
        started.set()
        gate.wait(20)
        return "late"

    async def swallowing() -> str:
        started.set()
        while not gate.is_set():
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(0.05)
        return "late"

    stubborn = Tool(blocking if is_in_a_thread else swallowing, name="stubborn")

    limits = Limits(total_timeout=0.5 if ends == "time" else 60)
    script = Script([say("Wait. "), call("stubborn")], [say("on")])
    chat = await create_chat(db, script, tools=[stubborn], limits=limits)
    asking = asyncio.create_task(chat.ask("q"))
    assert await asyncio.to_thread(started.wait, 5)

    if ends == "stop":
        assert await asyncio.wait_for(chat.stop(), 5)
    elif ends == "close":
        await asyncio.wait_for(db.close(), 5)
    with pytest.raises(TimeLimitExceeded if ends == "time" else RunInterrupted):
        await asyncio.wait_for(asking, 5)

    gate.set()
    await asyncio.sleep(0.1)  # what it returns now belongs to a run that has ended
    async with Database(db.engine) as later:
        again = await load_chat(later, script, chat.id)
        (row,) = await again.tool_calls()
        assert (row.status, row.result) == ("interrupted", None)
        assert (await again.ask("And?")).text == "on"


@pytest.mark.parametrize("holds", ["tool", "request"])
async def test_what_was_let_go_adds_nothing_to_its_run_and_runs_no_tool(
    db: Database, gate: threading.Event, holds: str
) -> None:
    """It goes on while the end of its run is not stored yet."""
    held, ending, may_end = asyncio.Event(), asyncio.Event(), asyncio.Event()
    ran: list[str] = []

    class Holding(Hook):
        async def before_request(self, sending: Sending) -> None:
            if holds == "request" and ran:
                held.set()
                await swallowing(gate)

        async def before_tool(self, use: ToolUse) -> None:
            if holds == "tool":
                held.set()
                await swallowing(gate)

        async def on_run_end(self, end: RunEnd) -> None:
            ending.set()
            await may_end.wait()

    def pay() -> None:
        ran.append("pay")

    script = Script([say("Wait. "), call("pay")], [say("unheard"), hang()])
    chat = await create_chat(db, script, tools=[pay], hooks=[Holding()])
    asking = asyncio.create_task(chat.ask("q"))
    await asyncio.wait_for(held.wait(), 5)
    stopping = asyncio.create_task(chat.stop())
    await asyncio.wait_for(ending.wait(), 5)

    gate.set()
    await asyncio.sleep(0.5)
    may_end.set()
    await asyncio.wait_for(stopping, 5)

    with pytest.raises(RunInterrupted):
        await asking
    assert (ran, len(script.requests)) == (["pay"] if holds == "request" else [], 1)
    assert await db.doctor() == []
    assert [message.role for message in await chat.messages()] == ["user", "assistant", "tool"]


async def test_a_run_stopped_before_it_has_begun_is_stopped(db: Database) -> None:
    chat = await create_chat(db, Script([hang()]))
    asking = asyncio.create_task(chat.ask("q"))
    while not db.runtime.journal._registered:  # noqa: ASYNC110 - nobody tells
        await asyncio.sleep(0)
    (run,) = db.runtime.journal._registered
    assert isinstance(run, LiveRun)
    run.stop()

    with pytest.raises(RunInterrupted):
        await asyncio.wait_for(asking, 5)


def _tasks(name: str) -> list[asyncio.Task[object]]:
    return [task for task in asyncio.all_tasks() if task.get_name().startswith(name)]


async def _read(stream: object) -> str:
    return "".join([chunk.text async for chunk in stream])  # type: ignore[attr-defined]


async def swallowing(gate: threading.Event) -> None:
    """As a client that closes its connection to a network that is gone."""
    while not gate.is_set():
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("ends", ["stop", "close", "time"])
async def test_what_was_shown_stays_where_a_stream_does_not_let_go(
    db: Database, gate: threading.Event, ends: str
) -> None:
    limits = Limits(total_timeout=0.7 if ends == "time" else 60)
    script = Script([think("hm"), say("Hello ", "world"), meet(lambda: swallowing(gate))])
    chat = await create_chat(db, script, limits=limits)
    stream = chat.stream("q")
    shown = ""
    while shown != "Hello world":
        shown += (await anext(stream)).text

    if ends == "stop":
        await asyncio.wait_for(chat.stop(), 5)
    elif ends == "close":
        await asyncio.wait_for(db.close(), 5)
    with pytest.raises(TimeLimitExceeded if ends == "time" else RunInterrupted):
        await asyncio.wait_for(stream, 5)

    async with Database(db.engine) as later:
        again = await load_chat(later, Script(), chat.id)
        answer = (await again.messages())[-1]
        assert (answer.text, answer.reasoning) == ("Hello world", "hm")


async def test_a_hook_that_swallows_its_cancellation_holds_no_chat(
    db: Database, gate: threading.Event
) -> None:
    class Swallowing(Hook):
        async def on_run_end(self, end: RunEnd) -> None:
            await swallowing(gate)

    limits = Limits(hook_timeout=0.1)
    chat = await create_chat(db, Script([say("x")]), hooks=[Swallowing()], limits=limits)

    with pytest.raises(HookFailed, match="hook_timeout"):
        await asyncio.wait_for(chat.ask("q"), 5)

    assert await chat.active_run() is None


async def test_a_summary_or_title_that_hangs_delays_nobody(
    db: Database, gate: threading.Event
) -> None:
    slow = Script([meet(lambda: swallowing(gate))], [meet(lambda: swallowing(gate))])
    compact = Compact(above=10, keep=1, llm=slow)
    chat = await create_chat(db, Script(*[[say("x " * 50)]] * 3), compact=compact)
    await chat.ask("q " * 50)
    await chat.ask("q " * 50)
    asking = asyncio.create_task(chat.ask("again"))
    while not slow.requests:  # noqa: ASYNC110 - nobody tells
        await asyncio.sleep(0.01)

    await asyncio.wait_for(chat.stop(), 5)
    with pytest.raises(RunInterrupted):
        await asking
    titled = await create_chat(db, Script([say("x")]), titles=slow)
    await titled.ask("q")
    await asyncio.wait_for(db.close(), 5)


async def test_what_is_no_exception_ends_its_run_with_the_cause(db: Database) -> None:
    class Panic(BaseException):
        """As an extension in another language raises it."""

    chat = await create_chat(db, Script([say("half"), fail(Panic("p"))], [say("on")]), retries=0)

    with pytest.raises(RunError, match="Panic"):
        await asyncio.wait_for(chat.ask("q"), 5)

    assert await chat.active_run() is None
    assert (await chat.messages())[-1].text == "half"
    assert (await chat.ask("And?")).text == "on"


async def test_a_run_that_was_resumed_elsewhere_is_stopped_there(db: Database) -> None:
    async with Database(db.engine, lease=timedelta(seconds=0.3)) as here:
        chat = await create_chat(here, Script([say("half"), hang()]))
        asking = asyncio.create_task(chat.ask("q"))
        await until(lambda: has_journal(here, chat))
        here.runtime.journal.pause()
        await asyncio.sleep(0.4)
        twin = await load_chat(db, Script([say("anew"), hang()]), chat.id)
        resuming = asyncio.ensure_future(_read(twin.resume()))
        await until(lambda: has_journal(db, twin))

        assert await asyncio.wait_for(chat.stop(), 8)

        with pytest.raises(RunInterrupted):
            await resuming
        with pytest.raises(RunInterrupted):
            await asking
        assert await twin.active_run() is None


async def test_closing_while_another_process_locks_the_file_leaves_no_connection_open(
    tmp_path: Path,
) -> None:
    path, known = tmp_path / "chats.db", set(threading.enumerate())
    db = Database(f"sqlite:///{path}", patience=timedelta(seconds=0.5))
    await db.create_tables()
    chat = await create_chat(db, Script([say("half"), hang()]))
    asking = asyncio.create_task(chat.ask("q"))
    await until(lambda: has_journal(db, chat))
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    await asyncio.to_thread(other.execute, "BEGIN IMMEDIATE")

    await asyncio.wait_for(db.close(), 10)

    with pytest.raises(RunInterrupted):
        await asking
    async with asyncio.timeout(5):
        while _connections(known):  # noqa: ASYNC110 - a thread that ends tells nobody
            await asyncio.sleep(0.05)
    other.close()


def _connections(known: set[threading.Thread]) -> set[threading.Thread]:
    """The threads of connections to SQLite: each connection has one."""
    new = set(threading.enumerate()) - known
    return {thread for thread in new if not thread.name.startswith("asyncio")}
