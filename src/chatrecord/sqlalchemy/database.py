"""The user's side of the database: an engine, the tables on it, and the runs that write there."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from types import TracebackType
from typing import Any, Generic, Self, TypeAlias, overload

from sqlalchemy import URL, Table
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.orm import DeclarativeBase
from typing_extensions import TypeVar

from chatrecord.attachments.stores import AttachmentStore
from chatrecord.chats import opening as chats
from chatrecord.errors import ConfigurationError
from chatrecord.runs.process import ProcessRuntime
from chatrecord.sqlalchemy.doctor.doctor import Doctor
from chatrecord.sqlalchemy.doctor.findings import Finding
from chatrecord.sqlalchemy.engine.creation import engine_of
from chatrecord.sqlalchemy.engine.forks import reset_after_forks
from chatrecord.sqlalchemy.models.creation import create_tables
from chatrecord.sqlalchemy.models.encryption import Keys, use_keys
from chatrecord.sqlalchemy.models.mixins import PRIVATE, Models
from chatrecord.sqlalchemy.sql.tables import MappedTable
from chatrecord.sqlalchemy.store.own_attachment_store import check_own
from chatrecord.sqlalchemy.store.store import SqlStore
from chatrecord.sqlalchemy.tables import READY_MADE
from chatrecord.store.times import DATABASE_TIMEOUT, LEASE

from .types import PrivateJson, PrivateText


class ReadyMade:
    """Marks a database with the ready-made tables: a type checker then knows the columns."""


class OwnTables:
    """Marks a database with tables of the user's: their columns are checked when a chat is made."""


Tables = TypeVar("Tables", ReadyMade, OwnTables, default=ReadyMade)


class Database(Generic[Tables]):
    """Where the chats are kept.

        db = Database("sqlite+aiosqlite:///chats.db")
        db = Database(engine, models=Base)          # your own engine, your own tables

    `url_or_engine` is a SQLAlchemy URL (a bare `sqlite:`, `postgresql:`, `mysql:` or `mariadb:`
    gets its async driver) or an `AsyncEngine` of yours, which is used as it is. `models` is a
    declarative base with one class of each mixin, or a `Models` that names them; without it the
    ready-made tables are used. A run of a process that is silent for longer than `lease` (30 s) is
    taken for dead, and ended by another. A server that fails or is silent for longer than
    `patience` (10 s) is given up, and what waits for it raises `DatabaseFailed`. With `encryption`
    the content of chats is stored encrypted with your `Keys`. The bytes of files are kept in their
    table, or in the store given as `attachments`, such as a `FolderStore`. A database belongs to
    one event loop.

    Raises `ConfigurationError` for a URL, models or times that cannot work.
    """

    @overload
    def __init__(
        self: Database[ReadyMade],
        url_or_engine: str | URL | AsyncEngine,
        *,
        models: None = None,
        keep_tool_calls: bool = True,
        keep_requests: bool = True,
        lease: timedelta = LEASE,
        patience: timedelta = DATABASE_TIMEOUT,
        encryption: Keys | None = None,
        attachments: AttachmentStore | None = None,
    ) -> None: ...

    @overload
    def __init__(
        self: Database[OwnTables],
        url_or_engine: str | URL | AsyncEngine,
        *,
        models: Models | type[DeclarativeBase],
        keep_tool_calls: bool = True,
        keep_requests: bool = True,
        lease: timedelta = LEASE,
        patience: timedelta = DATABASE_TIMEOUT,
        encryption: Keys | None = None,
        attachments: AttachmentStore | None = None,
    ) -> None: ...

    def __init__(
        self,
        url_or_engine: str | URL | AsyncEngine,
        *,
        models: Models | type[DeclarativeBase] | None = None,
        keep_tool_calls: bool = True,
        keep_requests: bool = True,
        lease: timedelta = LEASE,
        patience: timedelta = DATABASE_TIMEOUT,
        encryption: Keys | None = None,
        attachments: AttachmentStore | None = None,
    ) -> None:
        _check_positive(lease=lease, patience=patience)
        self.engine = engine_of(url_or_engine, patience)
        self.models = _without(_models(models), keep_tool_calls, keep_requests)
        is_ours = not isinstance(url_or_engine, AsyncEngine)
        check_own(attachments, self.models.attachment)
        self.store = SqlStore(
            self.engine, self.models, is_ours=is_ours, patience=patience, attachments=attachments
        )
        self._times = (lease, patience)
        self.runtime = ProcessRuntime(self.store, *self._times)
        reset_after_forks(self)
        if encryption is not None:
            _check_private(self.models)
            use_keys(self.engine.dialect, encryption)

    async def create_tables(self) -> None:
        """Create those of the library's tables that do not exist yet, and what they refer to.

        Meant for a first start, of several processes, too; a migration tool takes over from there.
        """
        await create_tables(self.store, _with_referred(self.models.tables))

    async def close(self) -> None:
        """Stop the runs of this process, store what has come of them, and close the connections.

        An engine of your own stays open.
        """
        await self.runtime.close()
        await self.store.close()

    def _reset_after_fork(self) -> object:
        """Start without runs, under a new name and with new connections, in a forked process.

        Called after the fork. Returns what belongs to the parent.
        """
        inherited = self.runtime
        self.store.reset_after_fork()
        self.runtime = ProcessRuntime(self.store, *self._times)
        return inherited

    async def repair(self) -> int:
        """End every run whose process has died, and keep what it left; how many there were.

        Chats do this for themselves when they are loaded, listed, asked or followed. This is for a
        start-up or a timer.
        """
        return await chats.repair(self)

    async def doctor(self, *, repair: bool = False) -> list[Finding]:
        """Look at every row, and tell of each that breaks a rule of the library's own.

            for finding in await db.doctor():
                print(finding.invariant, finding.table, finding.row_id, finding.what)

        Nothing is written, unless with `repair`: what can be mended without inventing anything is
        mended then, and its findings say so (`mended`). Chats may be in use meanwhile; what a live
        process works on is no finding. It reads all there is, a page at a time, files included:
        expect some minutes for a million messages. Raises `KeyMissing` where rows are encrypted
        with a key that this Database does not have.
        """
        return await Doctor(self).look(repair=repair)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()


AnyDatabase: TypeAlias = Database[Any]
"""Of ready-made tables or of own ones."""


def _check_positive(**times: timedelta) -> None:
    for name, time in times.items():
        if not isinstance(time, timedelta) or time <= timedelta(0):
            msg = f"{name}= takes a time longer than nothing, as in timedelta(seconds=30)"
            raise ConfigurationError(msg)


def _check_private(models: Models) -> None:
    """A column that was given another type would be stored as plain text."""
    for kind, names in PRIVATE.items():
        model = getattr(models, kind)
        columns = {} if model is None else MappedTable(model).columns
        for name in names:
            if name in columns and not isinstance(columns[name].type, PrivateText | PrivateJson):
                msg = (
                    f"{model.__name__}.{name} has a type that cannot be encrypted: leave it to the "
                    "mixin, or use a type of chatrecord.sqlalchemy.types that begins with Private"
                )
                raise ConfigurationError(msg)


def _with_referred(tables: Sequence[Table]) -> list[Table]:
    """These tables, and those of the user's that they refer to."""
    found: dict[str, Table] = {}
    waiting = list(tables)
    while waiting:
        table = waiting.pop()
        if table.key not in found:
            found[table.key] = table
            waiting.extend(key.column.table for key in table.foreign_keys)
    return list(found.values())


def _models(given: Models | type[DeclarativeBase] | None) -> Models:
    if given is None:
        return READY_MADE
    if isinstance(given, Models):
        return given
    if not isinstance(given, type) or not hasattr(given, "metadata"):
        msg = f"models= takes a DeclarativeBase with your tables, or Models(...), not {given!r}"
        raise ConfigurationError(msg)
    return Models.of(given)


def _without(models: Models, keep_tool_calls: bool, keep_requests: bool) -> Models:
    return Models(
        chat=models.chat,
        run=models.run,
        message=models.message,
        chunk=models.chunk,
        tool_call=models.tool_call if keep_tool_calls else None,
        request=models.request if keep_requests else None,
        attachment=models.attachment,
    )
