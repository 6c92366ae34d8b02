"""The thread that waits for the library, which meanwhile runs what has to run in it.

Django's connections, and the transactions on them, belong to one thread.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from queue import SimpleQueue
from typing import TypeVar

from chatrecord.chats.sync import submit

Result = TypeVar("Result")


class Caller:
    """The current thread, for work in the background that calls back."""

    def __init__(self) -> None:
        self._calls: SimpleQueue[Callable[[], None] | None] = SimpleQueue()

    def wait(self, work: Coroutine[None, None, Result]) -> Result:
        """Run a coroutine of the library, and its calls of `run` in this thread."""
        future = submit(work)
        future.add_done_callback(lambda _: self._calls.put(None))
        try:
            while (call := self._calls.get()) is not None:
                call()
            return future.result()
        except BaseException:
            future.cancel()
            raise

    async def run(self, function: Callable[[], Result]) -> Result:
        """Run a function in the thread that waits."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[Result] = loop.create_future()

        def settle(setter: Callable[[], None]) -> None:
            loop.call_soon_threadsafe(lambda: None if done.done() else setter())

        def call() -> None:
            try:
                found = function()
            except Exception as error:  # noqa: BLE001 - raised where it was called
                settle(partial(done.set_exception, error))
            else:
                settle(partial(done.set_result, found))

        self._calls.put(call)
        return await done
