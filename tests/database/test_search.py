"""The search index: the database keeps it, whoever writes, and it is in nobody's way."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import own_tables
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.operations import Operations
from plans import analyze, counting, explained, fill, scanned
from sqlalchemy import Connection, delete, insert, inspect, text, update

from chatrecord.alembic import create_search, drop_search, include_object, migrate
from chatrecord.errors import ConfigurationError, SearchUnavailable
from chatrecord.sqlalchemy import (
    Database,
    Keys,
    create_chat,
    delete_chat,
    load_chat,
    rotate,
    search_messages,
)
from chatrecord.sqlalchemy.sync import search_messages as search_messages_now
from chatrecord.sqlalchemy.sync import wait
from chatrecord.sqlalchemy.tables import Base
from chatrecord.testing import Script, say


async def talk(db: Database[Any], answer: str = "An otter.", **columns: Any) -> Any:
    chat = await create_chat(db, Script([say(answer)]), **columns)
    await chat.ask("Which animal?")
    return chat


async def roles(db: Database[Any], query: str, **scope: Any) -> list[str]:
    return sorted(hit.role for hit in await search_messages(db, query, **scope))


async def test_without_an_index_the_error_names_the_step(own_url: str) -> None:
    async with Database(own_url) as db:
        await talk(db)
        with pytest.raises(SearchUnavailable, match=r"db.create_search\(\).*migrate --search"):
            await search_messages(db, "otter")

        await db.create_search()
        assert await roles(db, "otter") == ["assistant"], "what was there before, too"

        await db.drop_search()
        with pytest.raises(SearchUnavailable):
            await search_messages(db, "otter")
        await db.drop_search()


async def test_the_schema_is_the_same_with_and_without_the_index(own_url: str) -> None:
    async with Database(own_url) as db:
        before = await changes_of(db)
        tables = await names_of(db)
        await db.create_search()
        await db.check()
        assert await changes_of(db) == before == []
        await migrate(db)
        await db.create_tables()
        await talk(db)
        assert await roles(db, "otter") == ["assistant"]

        await db.drop_search()
        await db.check()
        assert await changes_of(db) == []
        assert await names_of(db) == tables | {"llm_alembic_version"}


async def changes_of(db: Database[Any]) -> list[Any]:
    def compared(connection: Connection) -> list[Any]:
        options = {"include_object": include_object, "compare_type": True}
        context = MigrationContext.configure(connection, opts=options)
        return list(compare_metadata(context, Base.metadata))

    async with db.engine.connect() as connection:
        return await connection.run_sync(compared)


async def names_of(db: Database[Any]) -> set[str]:
    async with db.engine.connect() as connection:
        return set(
            await connection.run_sync(
                lambda on: [*inspect(on).get_table_names(), *inspect(on).get_view_names()]
            )
        )


async def test_several_processes_create_it_at_once(own_url: str) -> None:
    async with Database(own_url) as db, Database(own_url) as other:
        await talk(db)
        await asyncio.gather(*(each.create_search() for each in (db, other, db)))

        assert await roles(db, "otter") == await roles(other, "otter") == ["assistant"]


async def test_the_index_follows_sql_of_ones_own(own_url: str) -> None:
    async with Database(own_url) as db:
        await db.create_search()
        kept, gone = await talk(db, user_id="u"), await talk(db, user_id="u", title="Otters")
        message, chats = db.models.message.__table__, db.models.chat.__table__
        row = {
            "id": uuid4(), "chat_id": kept.id, "seq": 99, "role": "user", "status": "complete",
            "text": "A stoat", "created_at": datetime.now(UTC),
        }  # fmt: skip
        async with db.engine.begin() as connection:
            await connection.execute(insert(message), row)
        assert await roles(db, "stoat", user_id="u") == ["user"]

        async with db.engine.begin() as connection:
            changed = update(message).where(message.c.id == row["id"])
            await connection.execute(changed.values(text="A weasel"))
        assert await roles(db, "stoat", user_id="u") == []
        assert await roles(db, "weasel", user_id="u") == ["user"]

        async with db.engine.begin() as connection:
            await connection.execute(changed.values(role="tool"))
        assert await roles(db, "weasel", user_id="u") == []

        async with db.engine.begin() as connection:  # its rows go by the foreign key
            await connection.execute(delete(chats).where(chats.c.id == gone.id))
        assert await roles(db, "otter*", user_id="u") == ["assistant"]
        await assert_intact(db)


async def assert_intact(db: Database[Any]) -> None:
    """SQLite compares an index with its texts; elsewhere there is nothing that could differ."""
    if db.engine.dialect.name == "sqlite":
        name = "chatrecord_search_llm_messages"
        async with db.engine.begin() as connection:
            checked = f"INSERT INTO {name} ({name}, rank) VALUES ('integrity-check', 1)"
            await connection.exec_driver_sql(checked)


async def test_sqlite_may_renumber_its_rows(own_url: str) -> None:
    if not own_url.startswith("sqlite"):
        pytest.skip("only SQLite numbers rows")
    async with Database(own_url) as db:
        await db.create_search()
        for name in ("badger", "ferret", "otter"):
            last = await talk(db, f"A {name}", user_id=name)
        await delete_chat(db, (await search_messages(db, "badger"))[0].chat_id)
        async with db.engine.connect() as connection:
            await connection.execution_options(isolation_level="AUTOCOMMIT")
            await connection.exec_driver_sql("VACUUM")

        (hit,) = await search_messages(db, "otter")
        assert hit.chat_id == last.id
        assert await search_messages(db, "badger") == []
        await assert_intact(db)


async def test_encrypted_texts_cannot_be_searched_and_are_in_no_index(own_url: str) -> None:
    key = Keys(Keys.new())
    async with Database(own_url) as plain:
        await plain.create_search()
        await talk(plain, user_id="u", title="Otters")
    async with Database(own_url, encryption=key) as db:
        with pytest.raises(SearchUnavailable, match="encrypted"):
            await search_messages(db, "otter")
        with pytest.raises(SearchUnavailable, match="encrypted"):
            await db.create_search()
        await talk(db, "A badger.", user_id="u")
        await rotate(db)
    async with Database(own_url) as without_keys:
        for query in ("otter*", "badger", "animal", "gAAAAA*"):
            assert await search_messages(without_keys, query) == []
        await assert_intact(without_keys)


async def test_a_very_long_text_is_stored_and_found_by_its_beginning(own_url: str) -> None:
    """PostgreSQL refuses a text whose words take more than a megabyte."""
    async with Database(own_url) as db:
        await db.create_search()
        words = " ".join(f"{n:x}q{n * 7919:x}" for n in range(150_000))
        chat = await talk(db, "Beginning " + words, user_id="u")

        assert await roles(db, "beginning", user_id="u") == ["assistant"]
        loaded = await load_chat(db, Script(), chat.id)
        assert (await loaded.messages())[-1].text.endswith(words[-20:])


async def test_words_are_found_in_other_forms_where_the_language_is_known(own_url: str) -> None:
    async with Database(own_url) as db:
        if db.engine.dialect.name == "mysql":
            with pytest.raises(ConfigurationError, match="no search language 'english'"):
                await db.create_search(language="english")
            return
        await db.create_search()
        await talk(db, "They are running late.")
        assert await roles(db, "runs") == []

        await db.create_search(language="english")

        assert await roles(db, "runs") == ["assistant"]
        await db.create_search(language="english")
        with pytest.raises(ConfigurationError):
            await db.create_search(language="'; DROP TABLE llm_chats")


async def test_tables_of_ones_own_are_searched_by_their_own_columns(own_url: str) -> None:
    async with Database(own_url, models=own_tables.Base) as db:
        await db.create_tables()
        async with db.engine.begin() as connection:
            await connection.execute(text("INSERT INTO staff (id, name) VALUES (1, 'A'), (2, 'B')"))

        def migrated(connection: Connection) -> None:
            context = MigrationContext.configure(connection)
            with Operations.context(context), context.begin_transaction():
                create_search("hr_chats", "hr_messages", text="body")
                drop_search("hr_chats", "hr_messages")
                create_search("hr_chats", "hr_messages", text="body")

        async with db.engine.connect() as connection:
            await connection.run_sync(migrated)
            await connection.commit()
        await db.check()
        await talk(db, user_id=1, department="Otters")
        await talk(db, user_id=2, department="Otters", title="Otter")

        assert await roles(db, "otter", user_id=1) == ["assistant"]
        assert await roles(db, "otter", user_id=2, department="Otters") == ["assistant", "title"]
        with pytest.raises(TypeError, match="unknown keyword"):
            await search_messages(db, "otter", owner=1)


def test_plain_code_searches(own_url: str) -> None:
    db = Database(own_url)
    wait(db.create_search())
    wait(talk(db, user_id="u"))

    (hit,) = search_messages_now(db, "otter", user_id="u")

    assert hit.snippet.text == "An otter."
    wait(db.close())


async def test_a_search_reads_no_table_from_end_to_end(own_url: str) -> None:
    """Not even that of an owner whose texts are rare among those of all."""
    async with Database(own_url) as db:
        if db.engine.dialect.name == "sqlite":
            pytest.skip("the plan of SQLite names a virtual table, which says nothing")
        await talk(db, "An otter.", user_id="u")
        await db.create_search()
        await fill(db, 5000)
        await analyze(db)

        with counting(db) as counted:
            assert await roles(db, "otter", user_id="u") == ["assistant"]
            assert await roles(db, "otter animal") == []
            await roles(db, "animal -otter", user_id="u")

        searches = [it for it in counted.statements if "llm_messages" in it[0]]
        assert len(searches) >= 3
        for sql, parameters in searches:
            if "llm_chats" in sql:
                plan = await explained(db, sql, parameters)
                assert "llm_messages" not in scanned(db, plan), f"{sql}\n{plan}"
