"""Events: nothing is skipped whatever commits first, and nothing is written without their table."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select

from chatrecord.errors import ConfigurationError
from chatrecord.events import Event, NewEvent
from chatrecord.sqlalchemy import Database, create_chat, delete_chat, load_chat, purge
from chatrecord.sqlalchemy.models.encryption import Keys
from chatrecord.sqlalchemy.store.events import BATCH
from chatrecord.sqlalchemy.store.rows import values_of
from chatrecord.sqlalchemy.sync import events as sync_events
from chatrecord.sqlalchemy.tables import READY_MADE
from chatrecord.sqlalchemy.tables import Event as EventRow
from chatrecord.testing import Script, say


async def read(db: Database, after: int = 0) -> list[Event]:
    return [event async for event in db.events(after=after, follow=False)]


async def test_an_event_that_is_committed_late_is_not_skipped(own_url: str) -> None:
    """The classic trap of an outbox: the id that was made first is committed last."""
    async with Database(own_url) as db, Database(own_url) as elsewhere:
        early, late = NewEvent("run.complete", uuid4()), NewEvent("run.complete", uuid4())
        assert early.id < late.id
        add: Any = db.store._sql.add_event
        if db.engine.dialect.name == "sqlite":  # one transaction writes at a time
            await db.store.add_event(late)
            (first,) = await read(elsewhere)
            await db.store.add_event(early)
        else:
            async with db.engine.begin() as slow:
                await slow.execute(add, values_of(early))
                await elsewhere.store.add_event(late)
                (first,) = await read(elsewhere)
        assert first.chat_id == late.chat_id

        async with db.engine.connect() as connection:
            after_its_id = await connection.execute(
                select(EventRow.chat_id).where(EventRow.id > late.id)
            )
            assert after_its_id.all() == [], "a reader that goes by ids has missed it"
        assert [event.chat_id for event in await read(elsewhere, first.id)] == [early.chat_id]


async def test_many_writers_and_readers_lose_nothing_and_keep_each_chats_order(
    own_url: str,
) -> None:
    """A reader that stops and goes on by its last id, while chats are answered side by side."""
    async with Database(own_url) as db, Database(own_url) as elsewhere:
        script = [[say("hi")] for _ in range(5)]
        made = [await create_chat(db, Script(*script), user_id="u") for _ in range(6)]

        async def ask(chat: Any) -> list[Any]:
            return [(await chat.ask("Hi")).run_id for _ in range(5)]

        asking = asyncio.ensure_future(asyncio.gather(*map(ask, made)))
        seen: list[Event] = []
        while len(seen) < 30:
            seen += (await read(elsewhere, seen[-1].id if seen else 0))[:7]
            await asyncio.sleep(0.01)
        asked = dict(zip((chat.id for chat in made), await asking, strict=True))

    told = {chat_id: [it.run_id for it in seen if it.chat_id == chat_id] for chat_id in asked}
    assert told == asked


async def test_more_events_than_a_batch_are_read_once_each(own_url: str) -> None:
    async with Database(own_url) as db:
        rows = [values_of(NewEvent("run.complete", uuid4())) for _ in range(BATCH + 10)]
        async with db.engine.begin() as connection:
            await connection.execute(db.store._sql.add_event, rows)

        found = await read(db)

    assert [event.chat_id for event in found] == [row["chat_id"] for row in rows]
    assert [event.id for event in found] == list(range(1, BATCH + 11))


async def test_without_the_tables_nothing_is_written(tmp_path: Any) -> None:
    models = replace(READY_MADE, event=None, event_reader=None)
    async with Database(f"sqlite:///{tmp_path / 'own.db'}", models=models) as db:
        await db.create_tables()
        chat = await create_chat(db, Script([say("hi")]))
        assert (await chat.ask("Hi")).text == "hi"
        await delete_chat(db, chat.id)
        assert await db.purge_events(timedelta(0)) == 0
        with pytest.raises(ConfigurationError, match="event="):
            await read(db)


def test_one_of_the_two_tables_is_not_enough() -> None:
    with pytest.raises(ConfigurationError, match="EventReaderMixin"):
        replace(READY_MADE, event_reader=None)


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"after": "3"}, TypeError),
        ({"after": -1}, ValueError),
        ({"types": "run.complete"}, TypeError),
        ({"types": ["run.done"]}, ValueError),
        ({"colour": "red"}, TypeError),
    ],
)
async def test_a_wrong_argument_is_refused_at_once(
    db: Database, options: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        db.events(**options)


async def test_purge_takes_old_events_along(db: Database) -> None:
    chat = await create_chat(db, Script([say("hi")]), user_id="u")
    await chat.ask("Hi")

    await purge(db, older_than=timedelta(0), user_id="nobody")
    assert len(await read(db)) == 1
    await purge(db, older_than=datetime.now(UTC) + timedelta(hours=1))
    assert [event.type for event in await read(db)] == []


async def test_data_is_encrypted_where_there_are_keys(tmp_path: Any) -> None:
    url = f"sqlite:///{tmp_path / 'sealed.db'}"
    async with Database(url, encryption=Keys(Keys.new())) as db:
        await db.create_tables()
        chat = await create_chat(db, Script([say("hi")]))
        await chat.ask("Hi")
        async with db.engine.connect() as connection:
            raw = (await connection.exec_driver_sql("SELECT data FROM llm_events")).scalar_one()
        (event,) = await read(db)

    assert "message_id" not in str(raw)
    assert set(event.data) == {"message_id"}


def test_events_are_read_by_plain_code(tmp_path: Any) -> None:
    url = f"sqlite:///{tmp_path / 'plain.db'}"

    async def asked() -> None:
        async with Database(url) as db:
            await db.create_tables()
            chat = await create_chat(db, Script([say("hi")], [say("hi")]))
            await chat.ask("Hi")
            again = await load_chat(db, Script([say("hi")]), chat.id)
            await again.ask("Hi")

    asyncio.run(asked())
    db, kinds = Database(url), []
    for event in sync_events(db, types=["run.complete"]):
        kinds.append(event.type)
        if len(kinds) == 2:
            break

    assert kinds == ["run.complete"] * 2
