"""A `Database` with a streaming replica of PostgreSQL, whose replay is paused, resumed and ended."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from chatrecord.sqlalchemy import (
    Database,
    create_chat,
    delete_chat,
    export_chat,
    list_chats,
    load_chat,
    usage,
)
from chatrecord.sqlalchemy.store import replica
from chatrecord.testing import Script, say
from chatrecord.testing.look import until
from replicated import ReplicatedPostgres, replicated_postgres

QUESTIONS = 3


@dataclass
class Read:
    """A database with a replica, as a process has it, and what the replica was asked."""

    db: Database
    engine: AsyncEngine
    asked: list[str] = field(default_factory=list)

    @asynccontextmanager
    async def left_behind(self) -> AsyncIterator[None]:
        """What the primary gets meanwhile is not there."""
        await self._replay("pause")
        try:
            yield
        finally:
            await self._replay("resume")

    async def _replay(self, what: str) -> None:
        async with self.engine.connect() as connection:
            await connection.execute(text(f"SELECT pg_wal_replay_{what}()"))
        self.asked.clear()

    @property
    def rows_were_asked_for(self) -> bool:
        """Whether the replica was asked for more than how far it is."""
        return any("llm_" in statement for statement in self.asked)


@pytest.fixture(scope="module")
def servers() -> Iterator[ReplicatedPostgres]:
    with replicated_postgres() as found:
        if found is None:
            pytest.skip("PostgreSQL's programs are not installed here")
        yield found


@asynccontextmanager
async def reading(servers: ReplicatedPostgres) -> AsyncIterator[Read]:
    """As a process of its own has it."""
    engine = create_async_engine(servers.url("replica"))
    async with Database(servers.url("primary"), read=engine) as db:
        await db.create_tables()
        read = Read(db, engine)

        def note(_: Any, __: Any, statement: str, *___: Any) -> None:
            read.asked.append(statement)

        event.listen(engine.sync_engine, "before_cursor_execute", note)
        yield read
    await engine.dispose()


@pytest.fixture
async def here(servers: ReplicatedPostgres) -> AsyncIterator[Read]:
    async with reading(servers) as read:
        yield read


async def test_what_this_process_has_written_is_read_from_the_primary_until_the_replica_has_it(
    here: Read, servers: ReplicatedPostgres
) -> None:
    db = here.db
    chat = await create_chat(db, Script(*[[say("yes")]] * QUESTIONS), user_id="ann")
    await until(lambda: is_read_there(here, chat))
    async with here.left_behind():
        for _ in range(QUESTIONS):
            await chat.ask("Is it?")

        assert len(await chat.messages()) == 2 * QUESTIONS
        assert len(await chat.requests()) == QUESTIONS
        assert (await chat.usage()).requests == QUESTIONS
        assert [found.id for found in await list_chats(db, user_id="ann")] == [chat.id]
        (row,) = await usage(db, user_id="ann")
        assert row.usage.requests == QUESTIONS
        assert len([line async for line in export_chat(db, chat.id)]) > 3 * QUESTIONS
        assert not here.rows_were_asked_for
        async with reading(servers) as other:
            same = await load_chat(other.db, Script(), chat.id)
            assert await same.messages() == [], "another process reads what the replica has"

    await until(lambda: is_read_there(here, chat))
    assert len(await chat.messages()) == 2 * QUESTIONS
    assert [found.id for found in await list_chats(db, user_id="ann")] == [chat.id]
    assert db.store.written._times == {}  # type: ignore[attr-defined]


async def test_chats_of_others_are_read_from_the_replica_meanwhile(here: Read) -> None:
    db = here.db
    quiet = await create_chat(db, Script(), user_id="eve")
    await until(lambda: is_read_there(here, quiet))
    busy = await create_chat(db, Script([say("yes")]), user_id="bob")
    async with here.left_behind():
        await busy.ask("Is it?")
        assert [found.id for found in await list_chats(db, user_id="bob")] == [busy.id]
        assert not here.rows_were_asked_for

        assert [found.id for found in await list_chats(db, user_id="eve")] == [quiet.id]
        assert here.rows_were_asked_for
        here.asked.clear()
        assert await quiet.messages() == []
        assert here.rows_were_asked_for


async def test_a_deleted_chat_is_gone_from_lists_and_exports(here: Read) -> None:
    db = here.db
    chat = await create_chat(db, Script(), user_id="dan")
    await until(lambda: is_read_there(here, chat))
    async with here.left_behind():
        await delete_chat(db, chat.id)

        assert await list_chats(db, user_id="dan") == []


async def test_where_the_replica_is_away_the_primary_is_read_with_one_warning(
    here: Read,
    servers: ReplicatedPostgres,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(replica, "_AWAY", 0.0)
    chat = await create_chat(here.db, Script([say("yes")]), user_id="joe")
    await chat.ask("Is it?")
    await until(lambda: is_read_there(here, chat))
    servers.stop("replica")
    caplog.set_level(logging.WARNING, "chatrecord")
    try:
        for _ in range(3):
            assert len(await chat.messages()) == 2
        assert len([line async for line in export_chat(here.db, chat.id)]) > 3
        (warning,) = caplog.messages
        assert "the primary is read instead" in warning
    finally:
        await asyncio.to_thread(servers.start, "replica")
    await until(lambda: is_read_there(here, chat))
    assert caplog.messages[-1] == "The read replica answers again"


async def is_read_there(here: Read, chat: Any) -> bool:
    """Whether the replica serves reads of this chat."""
    here.asked.clear()
    await chat.messages()
    return here.rows_were_asked_for
