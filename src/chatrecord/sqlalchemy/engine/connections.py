"""How statements reach the database: short transactions of our own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    asynccontextmanager,
    suppress,
)
from datetime import timedelta
from typing import Any, TypeAlias, TypeVar

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from chatrecord.attachments.stores import AttachmentStore
from chatrecord.errors import DatabaseFailed
from chatrecord.sqlalchemy.generics import Values
from chatrecord.sqlalchemy.models.mixins import Models
from chatrecord.sqlalchemy.schema.check import check_schema, explained
from chatrecord.sqlalchemy.sql.statements import Statements
from chatrecord.sqlalchemy.sql.together import Step, Together
from chatrecord.sqlalchemy.store.attachment_rotation import RotatingAttachments
from chatrecord.sqlalchemy.store.history_cache import HISTORY_CACHE, HistoryCache
from chatrecord.store.retries import with_retries
from chatrecord.store.times import DATABASE_TIMEOUT

from .alone import Alone
from .batches import Batches
from .connection_checks import ConnectionChecks
from .direct import direct
from .driver_options import told_of_options, watch_options
from .errors import failed, is_of_database, is_of_schema
from .exclusive import Exclusive, exclusive_of, exclusive_writing_of, taken
from .in_thread import InThread
from .interruptions import cancellation_kept, ended_whole, survive_interruptions
from .one_call import Call, NoPlan, NotConnected, Reading, Work, one_call
from .one_loop import OneLoop, Turns
from .packets import Packets
from .plans import Plans
from .readers import ReadersAtTheirPace, connections_of
from .rebuilding import rebuilding_transaction
from .snapshot import snapshot_transaction
from .timeouts import time_limit

_Beginning: TypeAlias = AbstractAsyncContextManager[AsyncConnection]

Result = TypeVar("Result")


class Connections:
    """An engine and the classes of a `Models`, for what reads and writes them."""

    def __init__(
        self,
        engine: AsyncEngine,
        models: Models,
        *,
        is_ours: bool,
        patience: timedelta = DATABASE_TIMEOUT,
        attachments: AttachmentStore | None = None,
        history_cache: int = HISTORY_CACHE,
    ) -> None:
        self._engine = engine
        self._is_ours = is_ours
        self.patience = patience.total_seconds()
        self._at_work()
        survive_interruptions(engine)
        watch_options(engine)
        self._sql = Statements(models)
        self._tables = models.tables
        self._plans = Plans(engine.dialect)
        self._alone = Alone(engine, self._plans)
        self._in_thread = InThread(engine, self._plans)
        self._batches = Batches(engine, self._plans)
        self._together = Together(self._is_plain)
        self.histories = HistoryCache(history_cache)
        self.attachments = RotatingAttachments(
            self._sql, attachments, engine.dialect, self.transaction, self.reading
        )

    def _at_work(self) -> None:
        self._loop = OneLoop()
        self._turns = Turns(self._loop, connections_of(self._engine))
        self._readers = ReadersAtTheirPace(self._engine, connections_of(self._engine) // 2)
        self._only = exclusive_of(self._engine)
        self._writing = exclusive_writing_of(self._engine)
        self._checks = ConnectionChecks(self._engine)
        self._packets = Packets(self._engine.dialect, lambda: self._opened(self._engine.begin()))
        self._under_way = 0
        self._at_rest = asyncio.Event()

    def reset_after_fork(self) -> None:
        """Forget the work of the parent, in a forked process whose engine has a new pool."""
        self._at_work()

    async def close(self) -> None:
        if self._loop.is_known:
            self._loop.stay()
        if self._is_ours:
            with suppress(DatabaseFailed):  # connections to a server that does not say goodbye
                async with time_limit(self.patience):
                    await self._rest()
                    await self._engine.dispose()

    async def _rest(self) -> None:
        """Wait for what is under way, such as in a task that was cancelled and not awaited.

        Its connection would stay open: the pool knows only its own.
        """
        while self._under_way:
            self._at_rest.clear()
            await self._at_rest.wait()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """A short transaction that writes. Its errors are `DatabaseFailed`, so is a long silence.

        Who waits for another of ours to give its connection back waits as long as that takes.
        """
        async with self._turns, self.urgent_transaction() as connection:
            yield connection

    @asynccontextmanager
    async def urgent_transaction(self) -> AsyncIterator[AsyncConnection]:
        """The same for what all others depend on. It waits only where there is one connection."""
        async with (
            self._packets_explained(),
            self._in_time(self._engine.begin(), self._writing) as connection,
        ):
            yield direct(self._engine, connection, self._plans)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """A short transaction that writes nothing."""
        async with self._turns, self._in_time(self._engine.begin()) as connection:
            yield direct(self._engine, connection, self._plans)

    async def written_by(self, work: Work[Result]) -> Result:
        """What `transaction` is for, by work that waits for nothing but its statements.

        On SQLite that takes one change of threads.
        """
        async with self._turns:
            return await self.urgently_written_by(work)

    async def urgently_written_by(
        self, work: Work[Result], *, is_one_statement: bool = False, writes: bool = True
    ) -> Result:
        """What `urgent_transaction` is for, likewise; PostgreSQL commits one statement by itself.

        The work is begun once more where a statement of it has no plan yet. What does not write
        waits for nobody on SQLite.
        """
        with suppress(NoPlan):
            if self._in_thread.is_possible and self._checks.are_done:
                return await self._in_one_call(
                    lambda on: self._in_thread.done(on, work, writes=writes),
                    self._writing if writes else None,
                )
            if is_one_statement and self._alone.is_possible:
                return await self._in_one_call(lambda on: self._alone.done(on, work))
        async with self.urgent_transaction() as connection:
            return await work(connection)

    async def read_by(self, work: Work[Result]) -> Result:
        """What `reading` is for, by work that waits for nothing but its statements.

        On SQLite that takes one change of threads, on PostgreSQL a round trip for each statement.
        """
        async with self._turns:
            with suppress(NoPlan):
                if self._in_thread.is_possible and self._checks.are_done:
                    return await self._in_one_call(
                        lambda on: self._in_thread.done(on, work, writes=False)
                    )
                if self._alone.is_possible:
                    return await self._in_one_call(lambda on: self._alone.done(on, work))
            async with self._in_time(self._engine.begin()) as connection:
                return await work(direct(self._engine, connection, self._plans))

    async def written_together(
        self, changes: Iterable[Step], then: Reading[Result]
    ) -> tuple[Sequence[Any] | None, Result | None]:
        """Make changes by one statement that is a transaction, and read `then` if its guard held.

        Returns the rows of the guard, `None` where that is impossible and nothing was written; and
        what was read, `None` where the guard has no row or reading failed: try that again then.
        """
        made = self._together.statement(list(changes)) if self._alone.is_possible else None
        if made is None:
            return None, None
        found: Sequence[Any] | None = None

        async def write(connection: AsyncConnection) -> Result | None:
            nonlocal found
            found = (await connection.execute(*made)).all()
            return await then(connection, found) if found else None

        try:
            async with self._turns:
                read = await self._in_one_call(lambda on: self._alone.done(on, write))
        except Exception as error:
            if found is None and not isinstance(error, NoPlan):
                raise
            return found, None
        return found, read

    async def written_in_a_batch(
        self, changes: Iterable[Step], then: Work[Result]
    ) -> Result | None:
        """The same for MySQL and MariaDB, with what is done after it: what that returns.

        `None` where the guard changes no row. Raises `NoPlan` where it cannot be done.
        """
        if not self._batches.is_possible:
            raise NoPlan
        steps = list(changes)
        async with self._turns:
            return await self._in_one_call(lambda on: self._batches.done(on, steps, then))

    def _is_plain(self, step: Step) -> bool:
        return self._plans.made(step.statement, step.rows[0]) is not None

    async def _in_one_call(self, call: Call[Result], turn: Exclusive | None = None) -> Result:
        """A short transaction, without what makes it a context."""
        self._stay_in_one_loop()
        async with taken(self._only), time_limit(self.patience), taken(turn):
            self._under_way += 1
            try:
                return await one_call(self._engine, call, is_only=self._only is not None)
            except NotConnected as error:
                if not is_of_database(error.error):
                    raise error.error from error.error.__cause__
                raise failed(error.error, has_begun=False) from error.error
            except Exception as error:
                if not is_of_database(error):
                    raise
                raise await self._explained(error, failed(error)) from error
            finally:
                self._under_way -= 1
                self._at_rest.set()

    @asynccontextmanager
    async def long_transaction(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that may take its time. Its errors are `DatabaseFailed`."""
        async with (
            self._turns,
            taken(self._only),
            taken(self._writing),
            self._opened(self._engine.begin()) as connection,
        ):
            yield direct(self._engine, connection, self._plans)

    @asynccontextmanager
    async def rebuilding_transaction(self) -> AsyncIterator[AsyncConnection]:
        """A long transaction in which a migration may rebuild tables."""
        self._stay_in_one_loop()
        beginning = rebuilding_transaction(self._engine)
        async with (
            self._turns,
            taken(self._only),
            taken(self._writing),
            self._failing(),
            self._connected(beginning) as connection,
        ):
            yield connection

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that sees all as of one moment, for as long as it takes to read it."""
        self._stay_in_one_loop()
        beginning = snapshot_transaction(self._engine)
        async with (
            self._turns,
            taken(self._only),
            self._failing(),
            self._connected(beginning) as connection,
        ):
            yield connection

    @asynccontextmanager
    async def snapshot_at_leisure(self) -> AsyncIterator[AsyncConnection]:
        """The same for a reader who may pause for any time. Most connections are not for those."""
        async with self._readers.place(), self.snapshot() as connection:
            yield connection

    @property
    def has_room_for_readers(self) -> bool:
        """Whether a pause in a transaction does not block all others."""
        return self._only is None and self._readers.places > 0

    @asynccontextmanager
    async def _in_time(
        self, beginning: _Beginning, turn: Exclusive | None = None
    ) -> AsyncIterator[AsyncConnection]:
        async with (
            taken(self._only),
            time_limit(self.patience),
            taken(turn),
            self._opened(beginning) as connection,
        ):
            yield connection

    @asynccontextmanager
    async def _opened(self, beginning: _Beginning) -> AsyncIterator[AsyncConnection]:
        self._stay_in_one_loop()
        self._under_way += 1
        try:
            async with self._failing(), self._connected(beginning) as connection:
                yield connection
        finally:
            self._under_way -= 1
            self._at_rest.set()

    @asynccontextmanager
    async def _connected(self, beginning: _Beginning) -> AsyncIterator[AsyncConnection]:
        if self._only is not None:
            beginning = ended_whole(beginning)
        async with AsyncExitStack() as stack:
            async with self._failing(has_begun=False):
                with told_of_options(), cancellation_kept():
                    connection = await stack.enter_async_context(beginning)
                await self._checks.check(connection)
            yield connection

    @asynccontextmanager
    async def _packets_explained(self) -> AsyncIterator[None]:
        try:
            yield
        except DatabaseFailed as failure:
            explained = await self._packets.explained(failure)
            if explained is failure:
                raise
            raise explained from failure.__cause__

    @asynccontextmanager
    async def _failing(self, *, has_begun: bool = True) -> AsyncIterator[None]:
        try:
            yield
        except Exception as error:
            if not is_of_database(error):
                raise
            raise await self._explained(error, failed(error, has_begun=has_begun)) from error

    @asynccontextmanager
    async def schema_explained(self) -> AsyncIterator[None]:
        """For a transaction of the user's: only what is wrong with the schema becomes our error."""
        try:
            yield
        except SQLAlchemyError as error:
            if not is_of_schema(error):
                raise
            raise await self._explained(error, failed(error)) from error

    async def _explained(self, error: Exception, failure: DatabaseFailed) -> DatabaseFailed:
        """With the connection given back that has failed: a pool may have only one."""
        if is_of_schema(error):
            return await explained(failure, self._engine, self._tables, self.patience)
        return failure

    def _stay_in_one_loop(self) -> None:
        """Connections and live runs belong to the event loop they were made in."""
        self._loop.stay()

    async def check_schema(self) -> None:
        """Raise `SchemaError` if the tables are not what the models say."""
        await self._retried(lambda: check_schema(self.reading, self._tables))

    async def _retried(
        self, work: Callable[[], Awaitable[Result]], *, only_undone: bool = False
    ) -> Result:
        """Do this, and again after what passes within the patience. See `with_retries`."""
        return await with_retries(work, self.patience, only_undone=only_undone)

    async def _read(self, statement: object, **parameters: object) -> list[Values]:
        return await self._retried(lambda: self._rows(statement, parameters))

    async def _changed(self, statement: Any, parameters: Values) -> int:
        """Run a statement in its own transaction. Returns the number of changed rows."""

        async def change(connection: AsyncConnection) -> int:
            return int((await connection.execute(statement, parameters)).rowcount)

        async with self._turns:
            return await self.urgently_written_by(change, is_one_statement=True)

    async def _rows(self, statement: Any, parameters: dict[str, object]) -> list[Values]:
        async def read(connection: AsyncConnection) -> list[Values]:
            found = await connection.execute(statement, parameters)
            return [dict(row) for row in found.mappings()]

        if self._plans.is_new(statement):
            async with self.reading() as connection:
                return await read(connection)
        return await self.read_by(read)
