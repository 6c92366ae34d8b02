"""When a run may begin, where another run of its chat is active."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Protocol
from uuid import UUID

from chatrecord.errors import AnsweredElsewhere, ApprovalPending, ChatBusy, RunNotFound, SentBefore
from chatrecord.records import Reply, Run
from chatrecord.store.rows import RunStart
from chatrecord.store.run_queue_store import RunQueueStore

from .cancellation import run_to_completion
from .feed import Feed
from .run_spec import RunSpec

CLOSED = "The process in which this question waited was closed before its turn"


def _check_cancelled() -> None:
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


class OtherRuns(Protocol):
    """The other runs of the chat."""

    async def repair(self) -> int:
        """End the runs of dead processes. Returns how many."""

    def find(self, run_id: UUID) -> Awaitable[Feed]:
        """One of them, to be read."""

    async def typed(self, reply: Reply[object], output_type: object | None) -> Reply[object]:
        """What was found of one, with its output as this type, or as the agent's own."""

    async def stop(self) -> bool:
        """Stop the active run. Returns whether there was one."""

    async def end(self, run_id: UUID, why: str, *, requeues: bool) -> None:
        """End this one if this process owns it and no task works on it.

        With `requeues`, another worker goes on with it, if it was submitted.
        """

    def queue(self) -> AbstractAsyncContextManager[object]:
        """Entered one after the other, in the order of arrival in this process."""


@dataclass(slots=True)
class RunQueue:
    """The turn of one run. `open` begins it, `start` is what it begins with as of now."""

    store: RunQueueStore
    spec: RunSpec
    others: OtherRuns
    lease: timedelta
    open: Callable[[], Coroutine[None, None, None]]
    start: Callable[[], RunStart]
    process_ends: Callable[[], bool]
    _place: Run | None = None

    async def begin(self) -> None:
        """Open the run once the others let it, or raise what forbids it."""
        if self.spec.waits:
            await self._begin_queued()
            return
        while (ahead := await self._opened()) is not None:
            if self.spec.policies.on_busy == "reject" or self.spec.resumes or self.spec.begins:
                raise ahead
            await self.others.stop()

    async def _opened(self) -> ChatBusy | None:
        """Start it, or return the run ahead of it. Raises if there is no run to wait for."""
        while True:
            try:
                await run_to_completion(self.open())
            except (AnsweredElsewhere, SentBefore):
                raise
            except ApprovalPending:
                if self.spec.policies.on_parked == "reject":
                    raise
                await self.others.stop()
            except ChatBusy as busy:
                _check_cancelled()  # who is cancelled while this fails hears of the failure alone
                if await self.others.repair():
                    continue
                if busy.run_id is None:  # the chat itself has moved on
                    raise
                return busy
            else:
                return None

    async def _begin_queued(self) -> None:
        try:
            async with self.others.queue():
                ahead = await self._opened_or_queued()
            while ahead is not None:
                await self._wait_for(ahead)
                ahead = await self._opened_or_queued()
        except BaseException as error:
            if self._place is not None:
                ends = isinstance(error, asyncio.CancelledError) and self.process_ends()
                await run_to_completion(self._leave(self._place, keeps_question=ends))
            raise

    async def _leave(self, place: Run, *, keeps_question: bool) -> None:
        """Wait no more. A question that its process has no time for can be answered elsewhere."""
        waiting = await self.store.find_run(place.id) if keeps_question else None
        if waiting is None or waiting.question is None:
            await self.store.dequeue_run(place)
        else:
            await self.store.end_queued(waiting, CLOSED)

    async def _opened_or_queued(self) -> ChatBusy | None:
        ahead = await self._opened()
        if ahead is not None and self.spec.begins is None:  # one that begins has its place
            start = self.start()
            self._place = replace(start.run, status="waiting")
            await run_to_completion(self.store.enqueue_run(self._place, start.prompt))
        return ahead

    async def _wait_for(self, ahead: ChatBusy) -> None:
        """Until that run has ended, or this one's place has to be claimed again."""
        assert ahead.run_id is not None
        with suppress(TimeoutError, RunNotFound):
            async with asyncio.timeout(self.lease.total_seconds() / 3):
                await (await self.others.find(ahead.run_id)).ended()
