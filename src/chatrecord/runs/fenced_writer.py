"""Writing to a run under its lease, through whatever passes: a lost connection, a deadlock."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from time import perf_counter

from chatrecord.errors import ChatRecordError, DatabaseFailed, LeaseLost
from chatrecord.records import Run
from chatrecord.store.changes import NO_EXPIRY, Changes, Lease
from chatrecord.store.retries import FIRST_PAUSE, LONGEST_PAUSE
from chatrecord.store.run_store import RunStore
from chatrecord.store.times import mark_of, marked


@dataclass(frozen=True, slots=True)
class FencedWriter:
    """Writes a run's changes. `patience` is in seconds."""

    store: RunStore
    duration: timedelta
    patience: float
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def next_lease(self, run: Run) -> Lease:
        """The lease that a transaction of this run leaves behind, with a mark of its own.

        See `_was_written`.
        """
        rests = run.status in ("parked", "queued")
        until = NO_EXPIRY if rests else datetime.now(UTC) + self.duration
        return Lease(run.id, run.owner, run.epoch, marked(until, next(self._numbers)))

    async def write(self, changes: Changes, lease: Lease) -> None:
        """Write, and try again after what passes.

        That includes a cancellation: stopping a run cancels the run, not its writes.
        Only the end of an event loop cancels every task, and waits for them.
        """
        changes.lease = lease
        began, pause, in_doubt, is_cut_off = perf_counter(), FIRST_PAUSE, False, False
        failure: ChatRecordError | None = None
        while True:
            try:
                return await self.store.write(changes)
            except asyncio.CancelledError:
                if is_cut_off:
                    raise
                is_cut_off = passes = in_doubt = True
            except (DatabaseFailed, LeaseLost) as error:
                passes = isinstance(error, DatabaseFailed) and error.may_pass
                in_doubt = in_doubt or passes
                if not in_doubt or perf_counter() - began >= self.patience:
                    raise
                failure = error
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)
            was_written = await self._was_written(changes, lease)
            if was_written:
                return None
            if was_written is False and not passes and failure is not None:
                raise failure

    async def _was_written(self, changes: Changes, lease: Lease) -> bool | None:
        """Whether a transaction was committed although its connection was lost over it.

        It may even be committed while it is tried again: that fails, as its rows are there or its
        run has ended. `None` where the database does not say.
        """
        with suppress(DatabaseFailed):
            run = await self.store.get_run(changes.chat_id, lease.run_id)
            mine = (lease.owner, lease.epoch, mark_of(lease.until))
            return run is not None and mine == (run.owner, run.epoch, mark_of(run.lease_until))
        return None
