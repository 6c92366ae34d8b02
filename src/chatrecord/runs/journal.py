"""The one writer of all live answers of a process.

Every flush is one transaction: it stores what has come of all streams since the last, checks the
leases of their runs, renews those that are due, and learns which runs are to stop. A piece is
handed to its readers only after the flush that stored it. Silent runs are looked at a few times a
second. The more streams there are, the longer are the pauses between flushes: of many streams, each
flush stores more text, not more rows.

Where a `Database` has partitions, a flush is a transaction for each of them, in its own context.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from time import monotonic
from typing import Protocol, TypeAlias
from uuid import UUID

from chatrecord.errors import ConfigurationError, DatabaseFailed, LeaseLost, RunStopped
from chatrecord.ids import new_id
from chatrecord.store.changes import JournalEntry, Lease
from chatrecord.store.journal_store import JournalStore
from chatrecord.store.lost_leases import lost_lease
from chatrecord.store.times import DATABASE_TIMEOUT, LEASE, marked

from .partition import Partition, are_partitioned, by_partition, in_partition, key_of

FLUSH_SECONDS = 0.05
"""Seconds between two transactions of few streams: text is seen to flow, and each halving doubles
the load."""

LONGEST_FLUSH_SECONDS = 0.2
"""The same for many streams: text still flows."""

_SHORTEST_PAUSE = 0.01
"""Seconds between two flushes, however long the first one took."""

_ROWS_PER_SECOND = 1000
"""The rows that a process writes with pauses that are shorter than the longest. Each row costs the
database the same, however long its text."""

_ROWS_OF_A_COMMIT = 5
"""About the rows that a database writes in the time of one more commit."""

IDLE_FLUSH_SECONDS = 0.25
"""Seconds after which a process whose runs are silent looks all the same: has one to stop?"""

_RENEWED_AFTER = 1 / 6
"""The part of a lease after which it is renewed: an update of the run's row. What is left of it has
to outlast a database that is away for twice the patience."""

log = logging.getLogger("chatrecord")


class Journaled(Protocol):
    """A live run, as far as the journal knows it."""

    @property
    def lock(self) -> asyncio.Lock: ...

    @property
    def id(self) -> UUID: ...

    @property
    def chat_id(self) -> UUID: ...

    @property
    def partition(self) -> Partition | None: ...

    @property
    def leased_until(self) -> datetime:
        """The end of the lease that it began with."""

    def lease(self, until: datetime) -> Lease:
        """The run's lease, extended until then."""

    def entries(self) -> Sequence[JournalEntry]:
        """The pieces that are not stored yet; the same ones again until `stored` is called."""

    def stored(self) -> None:
        """Those pieces are in the database now."""

    def stop(self, reason: BaseException | None = None) -> None:
        """End the run, and keep its partial answer."""

    def close(self) -> None:
        """The same at the end of its process: another worker may go on with it."""

    async def ended(self) -> None:
        """Wait for its last transaction."""


_News: TypeAlias = Mapping[Journaled, Sequence[JournalEntry]]


class Journal:
    """Writes the pieces of all live runs, one transaction a flush, while there are any."""

    def __init__(
        self, store: JournalStore, lease: timedelta = LEASE, patience: timedelta = DATABASE_TIMEOUT
    ) -> None:
        self.lease = lease
        self.patience = patience.total_seconds()
        self.owner = f"{socket.gethostname()}:{os.getpid()}:{new_id().hex[-12:]}"
        self._store = store
        self._live: dict[UUID, Journaled] = {}
        self._news = asyncio.Event()
        self._urgent: dict[UUID, Journaled] = {}
        self._next_flush = 0.0
        self._task: asyncio.Task[None] | None = None
        self._paused = self._closed = False
        self._registered: set[Journaled] = set()
        self._in_doubt: set[UUID] = set()
        self._leased_until: dict[UUID, datetime] = {}
        self._looked = monotonic()
        self._failing_since: dict[UUID, float] = {}
        self._writing: set[asyncio.Task[None]] = set()

    def add(self, run: Journaled) -> None:
        """Take a run up."""
        self._live[run.id] = run
        self._leased_until[run.id] = run.leased_until
        if self._task is None or self._task.done():
            self._failing_since.clear()
            self._looked = monotonic()
            self._next_flush = self._looked + FLUSH_SECONDS
            self._start()

    def _start(self) -> None:
        self._task = asyncio.create_task(self._flush_until_idle(), name="chatrecord journal")
        self._task.add_done_callback(self._restart)

    def _restart(self, task: asyncio.Task[None]) -> None:
        """It was cancelled before its first step."""
        if self._live and task is self._task and not task.get_loop().is_closed():
            self._start()

    def remove(self, run: Journaled) -> None:
        """A run has written its last."""
        if self._live.get(run.id) is not run:
            return  # it was taken over, and is resumed here
        del self._live[run.id]
        self._in_doubt.discard(run.id)
        self._failing_since.pop(run.id, None)
        self._leased_until.pop(run.id, None)
        self._urgent.pop(run.id, None)
        if not self._live:
            self._news.set()

    def live(self, run_id: UUID) -> Journaled | None:
        """The run of this id, if this process works on it."""
        return self._live.get(run_id)

    def tasks_of(self, run_id: UUID) -> list[Journaled]:
        """Whatever in this process works on this run, or is about to: more than one if it was taken
        over meanwhile and is resumed here.
        """
        return [run for run in self._registered if run.id == run_id]

    def pause(self) -> None:
        """Write nothing more, as a process does that is paused. For tests."""
        self._paused = True

    def go_on(self) -> None:
        """Write again; the leases may be over meanwhile."""
        self._paused = False
        self._leased_until.clear()

    def request_flush(self, run: Journaled) -> None:
        """What has come of this run should not wait for the next flush of all."""
        self._urgent[run.id] = run
        self._news.set()

    def register(self, run: Journaled) -> None:
        """A run is about to begin. Raises `ConfigurationError` once this is closed."""
        if self._closed:
            msg = "This Database is closed: create a new Database"
            raise ConfigurationError(msg)
        self._registered.add(run)

    def unregister(self, run: Journaled) -> None:
        """A run is over, whether it has begun or not."""
        self._registered.discard(run)

    async def close(self) -> None:
        """Stop all runs and wait until their partial answers are stored."""
        self._closed = True
        runs = list(self._registered)
        for run in runs:
            run.close()
        await asyncio.gather(*(run.ended() for run in runs))
        if self._task is not None and not self._task.done():
            self._news.set()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _flush_until_idle(self) -> None:
        """Until no run is left. Who cancels this, as the end of a loop does, cancels the runs, too:
        until those have ended they have something to store.
        """
        while self._live or self._writing:
            try:
                await self._wait_for_news()
                if self._paused:
                    self._next_flush = monotonic() + FLUSH_SECONDS
                else:
                    await self._flush()
            except asyncio.CancelledError:
                task = asyncio.current_task()
                assert task is not None
                task.uncancel()

    async def _wait_for_news(self) -> None:
        """Until the next flush is due, or something is urgent."""
        with suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, self._next_flush - monotonic())):
                await self._news.wait()
        self._news.clear()

    async def _flush(self) -> None:
        """Store the news of all, or of those that are urgent."""
        began = monotonic()
        of_all = began >= self._next_flush
        streams = await self._flush_of(self._live if of_all else self._urgent, of_all=of_all)
        if of_all:
            self._next_flush = monotonic() + pause_after(streams, monotonic() - began)

    async def _flush_of(self, runs: Mapping[UUID, Journaled], *, of_all: bool) -> int:
        """Store the news of these runs. Returns how many had some."""
        looks = of_all and monotonic() - self._looked >= IDLE_FLUSH_SECONDS
        news: dict[Journaled, Sequence[JournalEntry]] = {}
        self._urgent = {}
        self._looked = monotonic() if looks else self._looked
        groups = 1
        try:
            for run in list(runs.values()):
                if run.lock.locked():
                    continue  # it is being written
                await run.lock.acquire()
                news[run] = _entries_of(run)
                if not (news[run] or looks):
                    del news[run]
                    run.lock.release()
            streams = sum(1 for entries in news.values() if entries)
            if are_partitioned(news):
                news, partitioned = {}, news
                groups = await self._write_partitions(partitioned)
            elif news:
                await self._write(news)
        finally:
            _release(news)
        return streams + (groups - 1) * _ROWS_OF_A_COMMIT

    async def _write_partitions(self, news: _News) -> int:
        """Each in its own transaction. One that takes long does not keep the others waiting.

        Returns how many there are.
        """
        groups = by_partition(news)
        writing = set()
        for group in groups:
            task = in_partition(group, self._write({run: news[run] for run in group}))
            task.add_done_callback(partial(self._written, group))
            writing.add(task)
        self._writing |= writing
        await asyncio.wait(writing, timeout=LONGEST_FLUSH_SECONDS)
        return len(groups)

    def _written(self, group: Sequence[Journaled], task: asyncio.Task[None]) -> None:
        self._writing.discard(task)
        _release(group)

    async def _write(self, news: _News) -> None:
        began = monotonic()
        try:
            await self._write_together(news)
        except Exception as error:  # noqa: BLE001 - any database's error: the news stay, and are tried again
            if len(news) > 1 and not _may_pass(error):
                await self._write_each(news)
            else:
                self._failed(error, began, self._neighbours_of(next(iter(news))))
        else:
            for run in self._neighbours_of(next(iter(news))) if self._failing_since else ():
                self._failing_since.pop(run.id, None)

    def _neighbours_of(self, run: Journaled) -> list[Journaled]:
        """The live runs of the same partition: all of them without partitions."""
        return [each for each in self._live.values() if key_of(each) == key_of(run)]

    async def _write_each(self, news: _News) -> None:
        """What cannot be written of one run is no fault of the others."""
        for run, entries in news.items():
            began = monotonic()
            try:
                await self._write_together({run: entries})
            except Exception as error:  # noqa: BLE001 - as above
                self._failed(error, began, [run])
            else:
                self._failing_since.pop(run.id, None)

    async def _write_together(self, news: _News) -> None:
        now = datetime.now(UTC)
        until = marked(now + self.lease, 0)
        due = {run.id for run in news if self._is_renewal_due(run.id, now)}
        doubtful = [run for run in news if run.id in self._in_doubt] if self._in_doubt else []
        unstored = {run: await self._unstored(news[run]) for run in doubtful}
        self._in_doubt.update(run.id for run in news)  # until it is known to be stored
        kept = await self._store.flush(
            {run.lease(until): unstored.get(run, entries) for run, entries in news.items()},
            renew=due,
        )
        self._in_doubt.difference_update(run.id for run in news)
        self._leased_until |= {run_id: until for run_id in due if run_id in self._live}
        for run in news:
            if run.id in kept:
                run.stored()
                if kept[run.id]:
                    run.stop(RunStopped("The run was stopped"))
        for run in news:
            if run.id not in kept:
                run.stop(LeaseLost(await lost_lease(self._store, run.id)))

    def _is_renewal_due(self, run_id: UUID, now: datetime) -> bool:
        """Also where the clock was set back: a lease that lasts too long blocks a repair."""
        until = self._leased_until.get(run_id)
        if until is None:
            return True
        return not self.lease * (1 - _RENEWED_AFTER) < until - now <= self.lease

    async def _unstored(self, entries: Sequence[JournalEntry]) -> list[JournalEntry]:
        """After a failure: without those that its transaction may have stored all the same."""
        if not entries:
            return []
        first = entries[0]
        found = await self._store.journal(first.message_id, after=first.seq - 1)
        stored = {(entry.message_id, entry.seq) for entry in found}
        return [entry for entry in entries if (entry.message_id, entry.seq) not in stored]

    def _failed(self, error: Exception, began: float, runs: Sequence[Journaled]) -> None:
        """These runs could not be written. After too long, they are given up."""
        now = monotonic()
        away = {run: now - self._failing_since.setdefault(run.id, began) for run in runs}
        longest = max(away.values(), default=0.0)
        log.warning(
            "The journal could not be written for %.1f s: %s", longest, type(error).__name__
        )
        for run, time in away.items():
            if time >= self.patience:
                run.stop(_given_up(error, time))


def pause_after(streams: int, took: float) -> float:
    """Seconds to wait after a flush of so many streams that took so long."""
    longest = max(FLUSH_SECONDS, LONGEST_FLUSH_SECONDS)
    interval = min(max(FLUSH_SECONDS, streams / _ROWS_PER_SECOND), longest)
    return max(_SHORTEST_PAUSE, interval - took)


def _may_pass(error: Exception) -> bool:
    return isinstance(error, DatabaseFailed) and error.may_pass


def _release(runs: Iterable[Journaled]) -> None:
    for run in runs:
        run.lock.release()


def _entries_of(run: Journaled) -> Sequence[JournalEntry]:
    """The news of a run; a run that fails here is stopped, and the others continue."""
    try:
        return run.entries()
    except Exception as error:  # noqa: BLE001 - a model's own stream is read here
        run.stop(error)
        return []


def _given_up(error: Exception, away: float) -> DatabaseFailed:
    msg = (
        f"The answer could not be stored for {away:.0f} s, and was given up: {error}. What was "
        "shown of it is stored. Check the database, then ask again or call resume()"
    )
    given_up = DatabaseFailed(msg, may_pass=True)
    given_up.__cause__ = error
    return given_up
