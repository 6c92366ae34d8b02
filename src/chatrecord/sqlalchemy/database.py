"""The user's side of the database: an engine, the tables on it, and the runs that write there."""

# More than 400 lines: half of them are overloads and docstrings.

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Mapping, Sequence
from datetime import datetime, timedelta
from importlib import import_module
from types import TracebackType
from typing import Any, Generic, NoReturn, Self, TypeAlias, TypedDict, cast, overload
from uuid import UUID

from sqlalchemy import URL
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.orm import DeclarativeBase
from typing_extensions import TypeVar, Unpack

from chatrecord.attachments.stores import AttachmentStore
from chatrecord.chats import opening as chats
from chatrecord.chats import semantic_search, working
from chatrecord.chats.retention import moment_of
from chatrecord.chats.working import LLMFor
from chatrecord.errors import ConfigurationError, SchemaError
from chatrecord.events import Event, EventType, checked_after, checked_types
from chatrecord.records import Reply
from chatrecord.runs import event_feed
from chatrecord.runs.partition import PartitionBy, Partitioning
from chatrecord.runs.process import ProcessRuntime
from chatrecord.runs.worker_deaths import MAX_WORKER_DEATHS
from chatrecord.spending.prices import Prices
from chatrecord.spending.pricing import PriceList
from chatrecord.sqlalchemy.doctor.doctor import Doctor
from chatrecord.sqlalchemy.doctor.findings import Finding
from chatrecord.sqlalchemy.engine.creation import engine_of
from chatrecord.sqlalchemy.engine.forks import reset_after_forks
from chatrecord.sqlalchemy.engine.listening import Listening
from chatrecord.sqlalchemy.engine.partition_setting import begin_with_setting
from chatrecord.sqlalchemy.engine.poolers import PoolerMode, Pooling
from chatrecord.sqlalchemy.models.chosen import models_of, without
from chatrecord.sqlalchemy.models.creation import create_tables, with_referred
from chatrecord.sqlalchemy.models.encryption import Keys, use_keys
from chatrecord.sqlalchemy.models.mixins import PRIVATE, ChatColumns, ChatMixin, Models
from chatrecord.sqlalchemy.sql.tables import MappedTable, not_kept
from chatrecord.sqlalchemy.store.history_cache import HISTORY_CACHE
from chatrecord.sqlalchemy.store.own_attachment_store import check_own
from chatrecord.sqlalchemy.store.store import SqlStore
from chatrecord.sqlalchemy.store.with_replica import StoreWithReplica
from chatrecord.sqlalchemy.tables import Chat as ReadyMadeChat
from chatrecord.store.times import DATABASE_TIMEOUT, LEASE
from chatrecord.text.arguments import check_count
from chatrecord.text.typed_metadata import UNTYPED_METADATA, TypedMetadata

from .types import PrivateJson, PrivateText

_log = logging.getLogger("chatrecord")

ReadyMade: TypeAlias = ReadyMadeChat
"""The class of the chats in the ready-made tables."""

ChatRow = TypeVar("ChatRow", bound=ChatColumns, default=ReadyMade)
"""The class of the chats in a database."""

OwnChat = TypeVar("OwnChat", bound=ChatMixin)
"""A class of your own."""

Metadata = TypeVar("Metadata", default=Mapping[str, Any])
"""The type of the metadata of chats."""

Recordable = TypeVar("Recordable")
"""An embedder, an image generator, or a model of either."""

Plain: TypeAlias = Mapping[str, Any]
"""Metadata of no type in particular."""


class DatabaseOptions(TypedDict, total=False):
    """The other parameters of `Database`."""

    keep_tool_calls: bool
    keep_requests: bool
    lease: timedelta
    patience: timedelta
    max_worker_deaths: int
    encryption: Keys | None
    attachments: AttachmentStore | None
    prices: Prices | None
    history_cache: int
    retention: timedelta | None
    partition: PartitionBy | None
    partition_setting: str | None
    pooler: PoolerMode | None
    listen_url: str | URL | None
    read: str | URL | AsyncEngine | None
    read_after_write: timedelta | None


class Database(Generic[ChatRow, Metadata]):
    """A database for chats: an engine, its tables, and the runs of this process.

        db = Database("sqlite+aiosqlite:///chats.db")
        db = Database(engine, models=Base)          # your own engine, your own tables

    `url_or_engine` is a SQLAlchemy URL (a bare `sqlite:`, `postgresql:`, `mysql:` or `mariadb:`
    gets its async driver) or your `AsyncEngine`, which is used as it is. `models` is a declarative
    base with one class for each mixin, or a `Models` that names them, whose class of chats is then
    known to type checkers; the default is the ready-made tables. `metadata_type` is a `TypedDict`,
    a frozen dataclass or a frozen Pydantic model: metadata is checked when it is set, and
    `chat.metadata` is of this type.

    `lease` (30 s): if a process writes nothing for longer, another process ends its runs.
    `patience` (10 s): how long operations retry while the database is unreachable; then they raise
    `DatabaseFailed`. `max_worker_deaths` (3): after so many deaths of its worker in a row, a
    submitted run fails with `WorkersDied`. `keep_tool_calls=False` and `keep_requests=False` leave
    out these tables. `encryption`: your `Keys`. `attachments`: a store for file contents, such as
    `FolderStore`; the default is their table. `prices`: your own, by model or provider, see
    `TokenPrices`.
    `history_cache`: the bytes of memory for the messages of long chats (32 MB; 0 for none). What
    another process or your own SQL has changed is always read again. `partition`: a `ContextVar`, a
    function or a column of the chats that tells tenants apart: background work is done for each in
    a context of its own. `partition_setting`: a setting of PostgreSQL that each transaction begins
    with, such as `"app.tenant"`, for policies on rows. `pooler`: `"transaction"` for PgBouncer and
    its like in front of PostgreSQL, where nothing is prepared then; the default is to look at the
    first connection, and `"session"` does not look. `listen_url`: a URL that avoids the pooler, for
    notifications. `read`: a URL or engine of a read replica, for lists, transcripts, reports and
    exports. `read_after_write`: for how long what this process has written is read from the
    primary; by default, PostgreSQL tells when the replica has it, and other databases get 5
    seconds. `retention`: for how long deleted chats can be restored; `purge(db)` ends them then. By
    default they are deleted at once. Use a `Database` in one event loop.

    Raises `ConfigurationError` for a URL, models, times or prices that cannot work.
    """

    @overload
    def __init__(
        self: Database[ReadyMade, Plain],
        url_or_engine: str | URL | AsyncEngine,
        *,
        models: None = None,
        metadata_type: None = None,
        **options: Unpack[DatabaseOptions],
    ) -> None: ...

    @overload
    def __init__(
        self: Database[ReadyMade, Metadata],
        url_or_engine: str | URL | AsyncEngine,
        *,
        models: None = None,
        metadata_type: type[Metadata],
        **options: Unpack[DatabaseOptions],
    ) -> None: ...

    @overload
    def __init__(
        self: Database[ChatRow, Plain],
        url_or_engine: str | URL | AsyncEngine,
        *,
        models: Models[ChatRow],
        metadata_type: None = None,
        **options: Unpack[DatabaseOptions],
    ) -> None: ...

    @overload
    def __init__(
        self: Database[ChatRow, Metadata],
        url_or_engine: str | URL | AsyncEngine,
        *,
        models: Models[ChatRow],
        metadata_type: type[Metadata],
        **options: Unpack[DatabaseOptions],
    ) -> None: ...

    @overload
    def __init__(
        self: Database[Any, Plain],
        url_or_engine: str | URL | AsyncEngine,
        *,
        models: type[DeclarativeBase],
        metadata_type: None = None,
        **options: Unpack[DatabaseOptions],
    ) -> None: ...

    @overload
    def __init__(
        self: Database[Any, Metadata],
        url_or_engine: str | URL | AsyncEngine,
        *,
        models: type[DeclarativeBase],
        metadata_type: type[Metadata],
        **options: Unpack[DatabaseOptions],
    ) -> None: ...

    def __init__(
        self,
        url_or_engine: str | URL | AsyncEngine,
        *,
        models: Models[Any] | type[DeclarativeBase] | None = None,
        metadata_type: type[Any] | None = None,
        keep_tool_calls: bool = True,
        keep_requests: bool = True,
        lease: timedelta = LEASE,
        patience: timedelta = DATABASE_TIMEOUT,
        max_worker_deaths: int = MAX_WORKER_DEATHS,
        encryption: Keys | None = None,
        attachments: AttachmentStore | None = None,
        prices: Prices | None = None,
        history_cache: int = HISTORY_CACHE,
        retention: timedelta | None = None,
        partition: PartitionBy | None = None,
        partition_setting: str | None = None,
        pooler: PoolerMode | None = None,
        listen_url: str | URL | None = None,
        read: str | URL | AsyncEngine | None = None,
        read_after_write: timedelta | None = None,
    ) -> None:
        check_count("Database(history_cache", history_cache, least=0)
        check_count("Database(max_worker_deaths", max_worker_deaths)
        _check_positive(lease=lease, patience=patience)
        if read_after_write is not None:
            _check_positive(read_after_write=read_after_write)
        typed = UNTYPED_METADATA if metadata_type is None else TypedMetadata(metadata_type)
        self._partitioning = partitioning = Partitioning(partition)
        self._settings = (lease, patience, PriceList(prices), typed)
        self._max_worker_deaths = max_worker_deaths
        self.engine = engine_of(url_or_engine, patience)
        self.models = without(models_of(models), keep_tool_calls, keep_requests)
        is_ours = not isinstance(url_or_engine, AsyncEngine)
        check_own(attachments, self.models.attachment)
        store = SqlStore if read is None else StoreWithReplica
        self.store = store(
            self.engine,
            self.models,
            is_ours=is_ours,
            patience=patience,
            attachments=attachments,
            history_cache=history_cache,
        )
        if isinstance(self.store, StoreWithReplica) and read is not None:
            self.store.read_from(read, read_after_write)
        if partition_setting is not None:
            for engine in self.store.engines:
                begin_with_setting(engine, partition_setting, partition, partitioning)
        pooling = Pooling(self.engine, pooler, is_ours=is_ours)
        self.store.listening = Listening(self.engine, pooling, listen_url)
        for engine in self.store.engines[1:]:
            Pooling(engine, pooler, is_ours=engine is not read)
        if partition is not None:
            _check_column(partition, self.store)
            self.store.leave_days_alone()
        if retention is not None:
            _check_positive(retention=retention)
        self.store.retention = retention
        self.runtime = self._new_runtime()
        reset_after_forks(self)
        if encryption is not None:
            _check_private(self.models)
            for engine in self.store.engines:
                use_keys(engine.dialect, encryption)

    async def create_tables(self) -> None:
        """Create the missing tables and columns, and the tables that they reference.

        Several processes may call this at once. Use `chatrecord migrate` for later changes: tables
        that differ from the models even so are logged as a warning.
        """
        tables = with_referred(self.models.tables)
        await create_tables(self.store, tables, self.models.later_columns)
        try:
            await self.check()
        except SchemaError as error:
            _log.warning("%s", error)

    async def check(self) -> None:
        """Compare the tables of the database with the models: call it when a server starts.

        Raises `SchemaError` with all `differences`: missing tables and columns, types that hold
        less, columns that must not be NULL, and missing indexes. Further columns and indexes, and
        wider types, are fine. Reads the catalog of the database, and no rows.

        Without this call, a missing table or column raises `SchemaError` when it is first needed.
        """
        await self.store.check_schema()

    async def create_search(self, *, language: str = "simple") -> None:
        """Create the index that `search_messages` needs. The database keeps it up from then on.

            await db.create_search()
            await db.create_search(language="english")  # PostgreSQL and SQLite

        Does nothing if it is there. PostgreSQL builds it while the tables are in use; SQLite, MySQL
        and MariaDB let writers wait meanwhile. `language` names a text search configuration of
        PostgreSQL, which finds other forms of a word, too; SQLite knows `"english"`. Raises
        `ConfigurationError` for an unknown language, and `SearchUnavailable` with `encryption=`.
        """
        await self.store.create_search(language)

    async def drop_search(self) -> None:
        """Drop the index that `create_search` has made, with all that belongs to it."""
        await self.store.drop_search()

    async def create_semantic_search(self, embedder: object, *, dimensions: int) -> None:
        """Create the table of vectors that `search_messages(semantic=embedder)` needs.

            await db.create_semantic_search("openai:text-embedding-3-small", dimensions=1536)

        `embedder` is Pydantic AI's `Embedder` or `EmbeddingModel`, or the name of an embedding
        model; `dimensions` is the length of its vectors, up to 2,000. Does nothing if the table is
        there, and sends no request: see `embed_messages`. Raises `SearchUnavailable`, which says
        what to do, on other databases than PostgreSQL, without the extension pgvector 0.8 or later,
        and with `encryption=`. Raises `ConfigurationError` where vectors of another model or length
        are stored, `TypeError` or `ValueError` for what is none of these.
        """
        await semantic_search.create_semantic_search(self, embedder, dimensions)

    async def drop_semantic_search(self) -> None:
        """Drop the vectors that `create_semantic_search` has made room for, and all around them."""
        await self.store.drop_semantic_search()

    async def embed_messages(self, embedder: object, *, limit: int = 1000) -> int:
        """Embed up to `limit` questions and answers that have no vector yet. Returns how many.

            while await db.embed_messages(embedder):
                pass

        Call it from a timer or a worker. The newest texts are first, in requests of up to 32, each
        of which is a row of `llm_requests` with its cost. Several processes share the work: none
        sends a text that another has claimed. Where a request fails, its error is raised, and
        its texts are tried again by a call that comes five minutes later. Raises the errors of
        `create_semantic_search`.
        """
        return await semantic_search.embed_messages(self, embedder, limit=limit)

    async def close(self) -> None:
        """Stop the live runs, store their partial answers, and close the connections.

        Your own engine stays open.
        """
        await self.runtime.close()
        await self.store.close()

    def _new_runtime(self) -> ProcessRuntime:
        return ProcessRuntime(
            self.store,
            *self._settings,
            max_worker_deaths=self._max_worker_deaths,
            partitioning=self._partitioning,
        )

    def _reset_after_fork(self) -> object:
        """Start without runs, under a new name and with new connections, in a forked process.

        Called after the fork. Returns what belongs to the parent.
        """
        inherited = self.runtime
        self.store.reset_after_fork()
        self.runtime = self._new_runtime()
        return inherited

    def __reduce__(self) -> NoReturn:
        msg = "A Database cannot be sent to another process: send a URL, and make one there"
        raise ConfigurationError(msg)

    async def repair(self) -> int:
        """End the runs of dead processes and keep their partial answers. Returns how many.

        Loading, listing, asking and following do this automatically. Past days of requests are
        added up, too, for reports and budgets: call this from a timer.
        """
        return await chats.repair(self)

    def recorded(
        self, work: Recordable, *, kind: str | None = None, chat_id: UUID | None = None
    ) -> Recordable:
        """Return the same embedder or image generator, which stores each of its requests as a row.

            embedder = db.recorded(Embedder("openai:text-embedding-3-small"))
            await embedder.embed_query("wifi password")

        `work` is Pydantic AI's `Embedder`, `EmbeddingModel`, `ImageGenerator` or
        `ImageGenerationModel`. `kind` is what reports call its requests; the default is
        `"embedding"` or `"image"`. In a tool a request belongs to the tool's run: it is part of
        `reply.usage`, and the limits and budgets of the run hold. Elsewhere it belongs to the chat
        of `chat_id`, or to none. Raises `TypeError` for anything else, and `ConfigurationError` if
        requests are not kept.
        """
        if self.models.request is None:
            rows = "Requests"
            raise not_kept(rows, "request")
        found = import_module("chatrecord.pydantic_ai.recorded")
        return cast(Recordable, found.recorded(self, work, kind, chat_id))

    def events(
        self,
        *,
        after: int = 0,
        types: Sequence[EventType] = (),
        follow: bool = True,
        **scope: object,
    ) -> AsyncGenerator[Event]:
        """Yield what has happened to the chats, and then what happens, until you stop reading.

            async for event in db.events(after=last_id, types=["run.complete"]):
                print(event.id, event.type, event.chat_id, event.run_id)

        Every event with an id above `after` comes at least once, also those of processes that have
        died, and those of one chat in their order: store the `id` after you have handled it. The
        default `types` are all: see `chatrecord.events.EVENT_TYPES`. With `follow=False` it ends
        with the last event. Columns of your chats as keywords, such as `user_id=...`, give the
        events of chats that are there and have these values.

        Raises `ConfigurationError` without the tables of events, `ValueError` for an unknown type.
        """
        names = checked_types(types)
        for name, value in scope.items():
            self.store.check_column(name, value)
        return event_feed.events(self.store, checked_after(after), names, scope, follow=follow)

    async def purge_events(self, older_than: timedelta | datetime) -> int:
        """Delete the events from before this, read or not. Returns how many.

            await db.purge_events(timedelta(days=30))

        `purge()` without a scope does this, too. Raises `ValueError` for a moment without a time
        zone.
        """
        return await self.store.purge_events(moment_of(older_than))

    async def work_on(
        self, run_id: UUID | str, llm_for: LLMFor, *, retry: bool = False
    ) -> Reply[Any]:
        """Answer a question that was submitted, in whichever process calls this.

            def llm_for(chat: ChatRecord) -> LLM:
                return "openai:gpt-5.2"

            reply = await db.work_on(run_id, llm_for)

        `llm_for`, sync or async, gets the row of the chat (its id, model, agent, metadata, and your
        columns in `columns`) and returns its LLM, or its LLM and its `RuntimeOptions`.

        Where an earlier worker died, this one goes on: no tool runs twice, unless it is
        `@repeatable`. A run that has ended is not answered again: its reply is returned, or its
        error raised. With `retry=True`, one that failed or was interrupted is resumed, unless it
        was stopped. The reply of a run that waits for approval has `awaiting_approval`; once all
        is decided, the next call goes on. If the task of this call is cancelled, or the database
        closed, the run is queued again, and what was answered of it is kept as an interrupted
        answer.

        Raises `AnsweredElsewhere` if another worker answers it just now. Raises another `ChatBusy`
        (`run_id` is the run ahead) if it is not its turn: try again later, or wait here with
        `on_busy="wait"` among the options. Raises `RunStopped` if it was stopped, `RunNotFound` if
        there is no such run, and the errors of `ask`.
        """
        return await working.work_on(self, run_id, llm_for, retry=retry)

    async def work(
        self, llm_for: LLMFor, *, stop: asyncio.Event | None = None, concurrency: int = 10
    ) -> None:
        """Answer queued runs, up to `concurrency` at a time, until `stop` is set.

            await db.work(llm_for)

        It looks for them twice a second, and for the runs of dead workers every five seconds. An
        engine that carries jobs calls `work_on` instead. Runs that it works on when it ends, or is
        cancelled, are queued again.
        """
        await working.work(self, llm_for, stop=stop, concurrency=concurrency)

    async def doctor(self, *, repair: bool = False) -> list[Finding]:
        """Check all rows and return those that break an invariant.

            for finding in await db.doctor():
                print(finding.invariant, finding.table, finding.row_id, finding.what)

        With `repair=True`, correct what can be corrected without inventing data; these findings
        have `repaired` set. Chats may be in use: rows of live runs are no findings. Reads
        everything, files included; expect minutes for a million messages. Raises `KeyMissing` if
        rows are encrypted with a key that this `Database` does not have.
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


AnyDatabase: TypeAlias = Database[Any, Any]
"""With ready-made tables or your own."""


def _check_positive(**times: timedelta) -> None:
    for name, time in times.items():
        if not isinstance(time, timedelta) or time <= timedelta(0):
            msg = f"{name}= must be a positive timedelta, such as timedelta(seconds=30)"
            raise ConfigurationError(msg)


def _check_column(partition: object, store: SqlStore) -> None:
    if isinstance(partition, str) and partition not in (columns := store.chat_columns()):
        named = ", ".join(columns) or "they have none of their own"
        msg = f"partition= names no column of the chats: {partition!r}. Columns: {named}"
        raise ConfigurationError(msg)


def _check_private(models: Models) -> None:
    """Refuse a column of another type: it would be stored as plain text."""
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
