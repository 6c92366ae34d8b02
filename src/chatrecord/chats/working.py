"""Workers: processes that answer what others have submitted."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Any, TypeAlias
from uuid import UUID

from chatrecord.errors import ChatBusy, ChatNotFound, HandedBack, RunError, RunNotFound
from chatrecord.records import ChatRecord, Reply, Run
from chatrecord.runs.process import Backend
from chatrecord.text.arguments import check_count, checked_id
from chatrecord.text.redaction import named

from .chat import Chat
from .opening import opened_chat, repair
from .options import RuntimeOptions, check_budgets, check_options

log = logging.getLogger("chatrecord")

LLMFor: TypeAlias = Callable[[ChatRecord], object | Awaitable[object]]
"""Says which LLM a chat gets: a model string, a Pydantic AI model, an agent, or one of these with
its `RuntimeOptions`, as in `return "openai:gpt-5.2", {"tools": [search]}`. May be async."""

POLL_SECONDS = 0.5
"""Seconds between two looks for queued runs, where there is nothing to do."""

SPREAD = 10
"""Of how many runs a worker chooses, as a multiple of those that it answers at a time.

Two workers that choose the same one wait for each other. The oldest are among them.
"""

REPAIR_SECONDS = 5.0
"""Seconds between two looks for the runs of dead workers."""


async def work_on(
    backend: Backend, run_id: UUID | str, llm_for: LLMFor, *, retry: bool = False
) -> Reply[Any]:
    """Answer a run with the LLM that its chat gets."""
    chat = await _chat_of(backend, await _found(backend, run_id), llm_for)
    return await chat.work_on(checked_run_id(run_id), retry=retry)


async def _found(backend: Backend, run_id: UUID | str) -> Run:
    wanted = checked_run_id(run_id)
    run = await backend.store.find_run(wanted)
    if run is None:
        msg = f"There is no run {run_id} here: it or its chat was deleted, or is not committed yet"
        raise RunNotFound(msg)
    return run


def checked_run_id(run_id: UUID | str) -> UUID:
    """Parse an id. Raises `RunNotFound` for an invalid one, and `TypeError` for other types."""
    found = checked_id(run_id)
    if found is None:
        msg = f"There is no run {run_id} here"
        raise RunNotFound(msg)
    return found


async def _chat_of(backend: Backend, run: Run, llm_for: LLMFor) -> Chat:
    record = await backend.store.get_chat(run.chat_id, {})
    if record is None:
        msg = f"There is no chat {run.chat_id} here"
        raise ChatNotFound(msg)
    chosen: Any = llm_for(record)
    if isinstance(chosen, Awaitable):
        chosen = await chosen
    llm, options = chosen if isinstance(chosen, tuple) else (chosen, RuntimeOptions())
    check_options(options)
    check_budgets(backend, options)
    return opened_chat(backend, llm, record, {}, options)


async def work(
    backend: Backend, llm_for: LLMFor, *, stop: asyncio.Event | None = None, concurrency: int = 10
) -> None:
    """Answer queued runs, up to `concurrency` at a time, until `stop` is set."""
    check_count("concurrency", concurrency)
    await _Worker(backend, llm_for, stop or asyncio.Event(), concurrency).work()


class _Worker:
    """Answers the queued runs of a database, one task for each."""

    def __init__(
        self, backend: Backend, llm_for: LLMFor, stop: asyncio.Event, concurrency: int
    ) -> None:
        self._backend = backend
        self._llm_for = llm_for
        self._stop = stop
        self._concurrency = concurrency
        self._tasks: dict[UUID, asyncio.Task[None]] = {}
        self._postponed: dict[UUID, float] = {}
        """Runs that could not begin, and when they are tried again. Others get their places."""

    async def work(self) -> None:
        """Until it is to stop. What it works on then is left to other workers."""
        loop = asyncio.get_running_loop()
        next_repair = loop.time()
        try:
            while not self._stop.is_set():
                if loop.time() >= next_repair:
                    await repair(self._backend)
                    next_repair = loop.time() + REPAIR_SECONDS
                await self._take_up()
                await self._wait()
        finally:
            for task in self._tasks.values():
                task.cancel()
            await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def _take_up(self) -> None:
        if len(self._tasks) >= self._concurrency:
            return
        ready = await self._ready()
        for run in ready[: self._concurrency - len(self._tasks)]:
            task = asyncio.create_task(self._answer(run.id), name="chatrecord worker")
            self._tasks[run.id] = task
            task.add_done_callback(partial(self._forget, run.id))

    async def _ready(self) -> list[Run]:
        """Queued runs that are neither answered here nor postponed."""
        now = asyncio.get_running_loop().time()
        self._postponed = {run_id: due for run_id, due in self._postponed.items() if due > now}
        limit = SPREAD * self._concurrency + len(self._postponed)
        found = await self._backend.store.ready_runs(limit=limit)
        ready = [run for run in found if not (run.id in self._tasks or run.id in self._postponed)]
        random.shuffle(ready)  # other workers see the same ones
        return ready

    def _forget(self, run_id: UUID, _done: asyncio.Task[None]) -> None:
        del self._tasks[run_id]

    async def _answer(self, run_id: UUID) -> None:
        """Whatever comes of it is stored with the run. One that cannot begin is left for later."""
        try:
            with suppress(ChatBusy, HandedBack, RunNotFound, ChatNotFound):
                await work_on(self._backend, run_id, self._llm_for)
        except RunError as error:
            log.warning("Run %s has ended: %s", run_id, named(error))
        except Exception as error:
            log.exception("Run %s could not be answered: %s", run_id, type(error).__name__)
            self._postponed[run_id] = asyncio.get_running_loop().time() + REPAIR_SECONDS

    async def _wait(self) -> None:
        """Until it is to stop, one of its runs has ended, or the next look is due."""
        stopped = asyncio.create_task(self._stop.wait())
        try:
            waited = [stopped, *self._tasks.values()]
            await asyncio.wait(waited, timeout=POLL_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopped.cancel()
