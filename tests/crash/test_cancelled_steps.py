"""An ask is cancelled at each of its steps in the event loop: the chat goes on, nothing is broken."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Sequence
from contextvars import Context
from typing import Any, Literal

import pytest
from strict import StrictScript

from chatrecord import Chat
from chatrecord.sqlalchemy import Database, create_chat, load_chat
from chatrecord.testing import Script, call, say

# Tasks of other libraries that are cancelled before their first step leave what they were to do.
_OURS = "Chat|Journal|LiveRun|RunRecorder|Sql"
pytestmark = [
    pytest.mark.filterwarnings(f"ignore:coroutine '(?!{_OURS}).*' was never awaited"),
    pytest.mark.filterwarnings("ignore:The garbage collector is trying to clean up"),
    # SQLAlchemy's own task that closes a connection is cancelled, too.
    pytest.mark.filterwarnings("ignore:Double checkin attempted"),
]

STEPS = 300
SOME = pytest.param(range(1, STEPS + 1, 17), id="some")
EACH = pytest.param(range(1, STEPS + 1), id="each", marks=pytest.mark.slow)
BOUND = 20.0
"""Seconds within which everything has to end. Nothing waits without a bound."""


class SteppedLoop(asyncio.SelectorEventLoop):
    """Counts what is about to happen in it, and lets something else happen before the nth."""

    def __init__(self) -> None:
        super().__init__()
        self.steps = 0
        self._at: int | None = None
        self._then: Callable[[], None] = lambda: None

    def interrupt(self, at: int, then: Callable[[], None]) -> None:
        """Call this before the step of this number, counted from now."""
        self.steps, self._at, self._then = 0, at, then

    def let_be(self) -> None:
        """Whatever was to happen does so no more."""
        self._at = None

    def call_soon(self, callback: Any, *args: Any, context: Context | None = None) -> Any:
        self._count()
        return super().call_soon(callback, *args, context=context)

    def call_soon_threadsafe(
        self, callback: Any, *args: Any, context: Context | None = None
    ) -> Any:
        self._count()
        return super().call_soon_threadsafe(callback, *args, context=context)

    def _count(self) -> None:
        self.steps += 1
        if self.steps == self._at:
            super().call_soon_threadsafe(self._then)


async def add(a: int, b: int) -> int:
    await asyncio.sleep(0)
    return a + b


def answers() -> Script:
    return Script([say("I ", "add. "), call("add", a=1, b=2)], [say("It ", "is ", "3.")])


def loop_of_this() -> SteppedLoop:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, SteppedLoop)
    return loop


async def cancelled_at(chat: Chat, step: int) -> None:
    asking = asyncio.ensure_future(chat.ask("1 + 2?"))
    loop_of_this().interrupt(step, asking.cancel)
    async with asyncio.timeout(BOUND):
        await asyncio.gather(asking, return_exceptions=True)
    loop_of_this().let_be()


async def goes_on(db: Database, chat: Chat) -> None:
    again = await load_chat(db, StrictScript([say("I go on.")]), chat.id, on_busy="wait")
    async with asyncio.timeout(BOUND):
        assert (await again.ask("And now?")).text == "I go on."


async def _cancel_an_ask(
    url: str, steps: Sequence[int], on_disconnect: Literal["continue", "stop"]
) -> None:
    async with Database(url) as db:
        for step in steps:
            chat = await create_chat(db, answers(), tools=[add], on_disconnect=on_disconnect)
            await cancelled_at(chat, step)
            await goes_on(db, chat)
        assert await db.doctor() == []


async def _cancel_every_task(url: str, steps: Sequence[int]) -> None:
    """As the end of a loop does it, and a server that is told to end at once."""
    for step in steps:
        db = Database(url)
        chat = await create_chat(db, answers(), tools=[add])
        asking = asyncio.ensure_future(chat.ask("1 + 2?"))
        main = asyncio.current_task()

        def everything(main: Any = main) -> None:
            for task in asyncio.all_tasks():
                if task is not main:
                    task.cancel()

        loop_of_this().interrupt(step, everything)
        async with asyncio.timeout(BOUND):
            await asyncio.gather(asking, return_exceptions=True)
            await db.close()
        loop_of_this().let_be()
        async with Database(url) as other:
            await goes_on(other, chat)
    async with Database(url) as db:
        assert await db.doctor() == []


def run(work: Any) -> None:
    with asyncio.Runner(loop_factory=SteppedLoop) as runner:
        runner.run(work)
    gc.collect()


@pytest.mark.parametrize("on_disconnect", ["continue", "stop"])
@pytest.mark.parametrize("steps", [SOME, EACH])
def test_an_ask_cancelled_at_any_step_leaves_a_usable_chat(
    own_url: str, steps: Sequence[int], on_disconnect: Literal["continue", "stop"]
) -> None:
    run(_cancel_an_ask(own_url, steps, on_disconnect))


@pytest.mark.parametrize("steps", [SOME, EACH])
def test_a_loop_cancelled_at_any_step_leaves_a_usable_chat(
    own_url: str, steps: Sequence[int]
) -> None:
    run(_cancel_every_task(own_url, steps))
