"""The tables of every earlier version become those of this one, with every chat in them usable."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import own_tables
import pytest
import sqlalchemy
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from earlier_schemas import EARLIER, create_earlier, fill_earlier
from sqlalchemy import Connection, delete, inspect, make_url, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

import chatrecord.alembic
from chatrecord.alembic import Migration, include_object, migrate, migration_sql
from chatrecord.alembic.seen import Seen
from chatrecord.errors import ConfigurationError, SchemaError
from chatrecord.sqlalchemy import (
    Database,
    create_chat,
    export_chat,
    import_chat,
    list_chats,
    load_chat,
    usage,
)
from chatrecord.sqlalchemy.engine.rebuilding import rebuilding_transaction
from chatrecord.sqlalchemy.schema.revision import REVISION
from chatrecord.sqlalchemy.sync import wait
from chatrecord.sqlalchemy.tables import Base
from chatrecord.testing import Script, call, say

OLDER = [revision for revision in EARLIER if revision != REVISION]


@pytest.fixture(autouse=True)
def recorded_types(request: pytest.FixtureRequest) -> None:
    """The earlier schemas were recorded with SQLAlchemy 2.1."""
    if sqlalchemy.__version__.startswith("2.0.") and "mariadb" in request.node.name:
        pytest.skip("SQLAlchemy 2.0 has no UUID of MariaDB")


@pytest.fixture
async def own(own_url: str) -> AsyncIterator[Database]:
    async with Database(own_url) as db:
        yield db


def days_left(name: str) -> str:
    return f"{name} has 3"


@pytest.mark.parametrize("revision", EARLIER)
async def test_every_chat_of_an_earlier_version_is_usable(own: Database, revision: str) -> None:
    await create_earlier(own.engine, revision)
    rows = await fill_earlier(own.engine, revision)

    assert await migrate(own) == Migration(revision, REVISION)

    await own.check()
    await assert_same_rows(own, rows)
    await assert_dead_answer_ends(own)
    await assert_conversation_continues(own, has_file=revision != "0001")
    assert await own.doctor() == []


async def assert_same_rows(db: Database, rows: dict[str, list[dict[str, Any]]]) -> None:
    """Each text that was stored is read, in its order."""
    for chat in rows["llm_chats"]:
        loaded = await load_chat(db, "test", chat["id"], user_id=chat["user_id"])
        assert loaded.record.metadata == chat["metadata"]
        stored = [m for m in rows["llm_messages"] if m["chat_id"] == chat["id"]]
        complete = [m for m in stored if m["status"] != "streaming"]
        read = [m for m in await loaded.messages(100) if str(m.id) in {m["id"] for m in complete}]
        by_seq = sorted(complete, key=lambda message: message["seq"])
        assert [m.text for m in read] == [m["text"] for m in by_seq]
    assert await count_of_requests(db) == len(rows["llm_requests"])


async def count_of_requests(db: Database) -> int:
    """Those of chats that are there, and those of deleted ones."""
    return sum(row.usage.requests for row in await usage(db, by=["user_id"]))


async def assert_dead_answer_ends(db: Database) -> None:
    """Its process was killed: what was in the journal is its answer."""
    (record,) = await list_chats(db, user_id="bob")
    chat = await load_chat(db, Script([say("The other half.")]), record.id)
    answer = (await chat.messages(10))[-1]
    assert (answer.status, answer.text) == ("interrupted", "Half of an answer")
    assert (await chat.ask("Go on")).text == "The other half."


async def assert_conversation_continues(db: Database, *, has_file: bool) -> None:
    (record,) = await list_chats(db, user_id="ada")
    script = Script([call("days_left", name="Ada")], [say("Three.")])
    chat = await load_chat(db, script, record.id, tools=[days_left])
    reply = await chat.ask("And now?")

    assert reply.text == "Three."
    sent = str(script.requests[0])
    assert "12345678901234567890" in sent, "the tool's result of that time is sent again"
    assert ("Thirty days a year." in sent) == has_file
    called = await chat.tool_calls()
    assert [each.name for each in called] == ["days_left", "broken", "days_left"]

    lines = [line async for line in export_chat(db, chat.id)]
    copy = await import_chat(db, lines, new_ids=True)
    copied = await load_chat(db, "test", copy.id)
    assert [m.text for m in await copied.messages(100)] == [
        m.text for m in await chat.messages(100)
    ]


@pytest.mark.parametrize("revision", [None, *EARLIER])
async def test_migrated_tables_are_what_the_models_declare(
    own: Database, revision: str | None
) -> None:
    """A change of the models without a migration fails here: write a revision for it."""
    if revision is None:
        await drop_everything(own.engine)
    else:
        await create_earlier(own.engine, revision)
    await migrate(own)

    assert await autogenerated(own.engine) == []


@pytest.mark.parametrize("revision", EARLIER)
async def test_tables_that_create_tables_has_changed_are_migrated(
    own: Database, revision: str
) -> None:
    """It adds tables and columns, and keeps no revision: migrations see what is there."""
    await create_earlier(own.engine, revision)
    await own.create_tables()

    assert (await migrate(own)).after == REVISION
    assert await autogenerated(own.engine) == []


async def test_what_create_tables_makes_is_the_newest_revision(own: Database) -> None:
    assert await migrate(own) == Migration(REVISION, REVISION)
    assert await migrate(own) == Migration(REVISION, REVISION)
    assert await autogenerated(own.engine) == []


async def test_an_empty_database_gets_the_tables(own: Database) -> None:
    await drop_everything(own.engine)

    assert await migrate(own) == Migration(None, REVISION)
    chat = await create_chat(own, Script([say("hi")]), user_id="u1")
    assert (await chat.ask("Hi!")).text == "hi"


@pytest.mark.parametrize("revision", [None, *OLDER])
async def test_the_printed_statements_do_the_same(own: Database, revision: str | None) -> None:
    if revision is None:
        await drop_everything(own.engine)
    else:
        await create_earlier(own.engine, revision)
        await fill_earlier(own.engine, revision)

    printed = await migration_sql(own)
    assert await migration_sql(own) == printed, "printing changes nothing"
    with pytest.raises(SchemaError):
        await own.check()

    await execute_script(own.engine, printed)
    await own.check()
    assert await autogenerated(own.engine) == []
    assert await migrate(own) == Migration(REVISION, REVISION)
    assert await migration_sql(own) == ""


async def test_tables_that_were_left_out_stay_left_out(own: Database) -> None:
    await create_earlier(own.engine, "0001")
    async with own.engine.begin() as connection:
        await connection.execute(text("DROP TABLE llm_requests"))
        await connection.execute(text("DROP TABLE llm_tool_calls"))

    assert await migrate(own) == Migration("0001", REVISION)

    there = await table_names(own.engine)
    assert not there & {"llm_requests", "llm_tool_calls"}
    async with Database(own.engine, keep_requests=False, keep_tool_calls=False) as db:
        await db.check()


async def test_a_request_whose_chat_had_to_be_there_may_outlive_it(own: Database) -> None:
    """The changelog names this change of a version before 0001. SQLite rebuilds the table."""
    await create_earlier(own.engine, "0001")
    rows = await fill_earlier(own.engine, "0001")
    async with own.engine.begin() as connection:
        requests = Base.metadata.tables["llm_requests"]
        await connection.execute(delete(requests).where(requests.c.chat_id.is_(None)))
        await connection.run_sync(require_chats)
    assert await migration_sql(own)

    await migrate(own)

    assert await autogenerated(own.engine) == []
    kept = [row for row in rows["llm_requests"] if "chat_id" in row]
    assert await count_of_requests(own) == len(kept)


def require_chats(connection: Connection) -> None:
    name = connection.dialect.name
    if name == "postgresql":
        connection.execute(text("ALTER TABLE llm_requests ALTER chat_id SET NOT NULL"))
    elif name == "mysql":
        connection.execute(text("SET FOREIGN_KEY_CHECKS = 0"))
        connection.execute(text("ALTER TABLE llm_requests MODIFY chat_id UUID NOT NULL"))
        connection.execute(text("SET FOREIGN_KEY_CHECKS = 1"))
    else:
        connection.execute(text("PRAGMA writable_schema = ON"))
        connection.execute(
            text(
                "UPDATE sqlite_schema SET sql = replace(sql, 'chat_id CHAR(32)', "
                "'chat_id CHAR(32) NOT NULL') WHERE name = 'llm_requests'"
            )
        )
        connection.execute(text("PRAGMA writable_schema = RESET"))


async def test_what_was_added_to_a_rebuilt_table_stays(tmp_path: Path) -> None:
    """SQLite copies a table to drop its foreign key: columns, indexes, triggers and views stay."""
    added = (
        "ALTER TABLE llm_chunks ADD COLUMN note VARCHAR(20) DEFAULT 'a:b' NOT NULL",
        "UPDATE llm_chunks SET note = 'mine'",
        "CREATE INDEX my_index ON llm_chunks (note)",
        "CREATE TABLE seen (note TEXT)",
        """CREATE TRIGGER my_trigger AFTER DELETE ON llm_chunks
           BEGIN INSERT INTO seen VALUES (old.note || ' :gone'); END""",
        "CREATE VIEW my_view AS SELECT note FROM llm_chunks",
    )
    async with Database(f"sqlite:///{tmp_path / 'chats.db'}") as db:
        await create_earlier(db.engine, "0001")
        rows = await fill_earlier(db.engine, "0001")
        async with db.engine.begin() as connection:
            for statement in added:
                await connection.execute(text(statement.replace(":", r"\:")))
        printed = await migration_sql(db)

        await migrate(db)

        await db.check()
        async with db.engine.begin() as connection:
            count = len(rows["llm_chunks"])
            notes = await connection.execute(text("SELECT note FROM my_view"))
            assert list(notes.scalars()) == ["mine"] * count
            indexes = await connection.run_sync(lambda it: inspect(it).get_indexes("llm_chunks"))
            assert "my_index" in {index["name"] for index in indexes}
            await connection.execute(text("DELETE FROM llm_chunks"))
            seen = await connection.execute(text("SELECT note FROM seen"))
            assert list(seen.scalars()) == ["mine :gone"] * count
    assert added[2] in printed
    assert "note VARCHAR(20) DEFAULT" in printed


async def test_a_rebuilt_table_takes_no_rows_along(db: Database) -> None:
    """SQLite deletes what refers to the rows of a table that is dropped."""
    chat = await create_chat(db, Script([say("hi")]))
    await chat.ask("Hi!")

    async with rebuilding_transaction(db.engine) as connection:
        await connection.execute(text("CREATE TABLE spare AS SELECT * FROM llm_chats"))
        await connection.execute(text("DROP TABLE llm_chats"))
        await connection.execute(text("ALTER TABLE spare RENAME TO llm_chats"))

    assert [message.text for message in await chat.messages(10)] == ["Hi!", "hi"]
    async with db.engine.connect() as connection:
        assert (await connection.exec_driver_sql("PRAGMA foreign_keys")).scalar_one() == 1


async def test_several_processes_migrate_at_once(own: Database) -> None:
    await create_earlier(own.engine, "0001")
    url = own.engine.url

    async def one() -> Migration:
        async with Database(url) as db:
            return await migrate(db)

    done = await asyncio.gather(*(one() for _ in range(4)))

    assert sorted(migration.before or "" for migration in done) == ["0001", *[REVISION] * 3]
    assert await autogenerated(own.engine) == []


async def test_own_tables_are_refused(own_url: str) -> None:
    async with Database(own_url, models=own_tables.Base) as db:
        with pytest.raises(ConfigurationError, match="tables of your own"):
            await migrate(db)


async def test_tables_of_a_later_version_are_refused(own: Database) -> None:
    await migrate(own)
    async with own.engine.begin() as connection:
        await connection.execute(text("UPDATE llm_alembic_version SET version_num = '9999'"))

    with pytest.raises(ConfigurationError, match="Upgrade chatrecord on this machine, too"):
        await migrate(own)
    with pytest.raises(ConfigurationError, match="Upgrade chatrecord on this machine, too"):
        await migration_sql(own)


def test_the_statements_for_mysql_have_its_types() -> None:
    """MySQL itself is not among the databases of the tests: it differs from MariaDB in these."""
    printed = StringIO()
    options = {"as_sql": True, "output_buffer": printed, "chatrecord_seen": Seen({})}
    context = MigrationContext.configure(dialect_name="mysql", opts=options)
    folder = Path(chatrecord.alembic.__file__).parent
    with Operations.context(context):
        for script in reversed(list(ScriptDirectory(str(folder)).walk_revisions())):
            script.module.upgrade()

    assert "id CHAR(32) NOT NULL" in printed.getvalue()
    assert "COLLATE utf8mb4_0900_bin" in printed.getvalue()
    assert "nopad" not in printed.getvalue()
    assert "ALTER TABLE llm_chunks DROP FOREIGN KEY llm_chunks_ibfk_1" in printed.getvalue()


def test_plain_code_migrates_too(tmp_path: Path) -> None:
    db = Database(f"sqlite:///{tmp_path / 'chats.db'}")
    assert wait(migrate(db)) == Migration(None, REVISION)
    wait(db.close())


async def test_a_revision_without_tables_is_told(own: Database) -> None:
    await migrate(own)
    async with own.engine.begin() as connection:
        await connection.run_sync(Base.metadata.drop_all)

    for work in (migrate, migration_sql):
        with pytest.raises(ConfigurationError, match="DROP TABLE llm_alembic_version"):
            await work(own)
    await drop_everything(own.engine)
    assert await migrate(own) == Migration(None, REVISION)


async def test_an_engine_that_maps_schemas_is_refused(own: Database) -> None:
    mapped = own.engine.execution_options(schema_translate_map={None: "tenant"})
    async with Database(mapped) as db:
        with pytest.raises(ConfigurationError, match="schema_translate_map"):
            await migrate(db)


async def test_another_driver_migrates_too(postgresql_url: str) -> None:
    name = f"tenant_{uuid4().hex[:8]}"
    url = make_url(postgresql_url).set(drivername="postgresql+psycopg")
    engine = create_async_engine(url, connect_args={"options": f"-c search_path={name}"})
    async with Database(engine) as db:
        await execute_script(engine, f"CREATE SCHEMA {name}")
        assert await migrate(db) == Migration(None, REVISION)
        await db.check()
        await execute_script(engine, f"DROP SCHEMA {name} CASCADE")
    await engine.dispose()


def test_every_revision_is_recorded() -> None:
    """A new revision is not complete without: python tests/database/record_schema.py"""
    folder = Path(chatrecord.alembic.__file__).parent
    scripts = ScriptDirectory(str(folder))

    assert scripts.get_current_head() == REVISION
    assert sorted(script.revision for script in scripts.walk_revisions()) == EARLIER


async def autogenerated(engine: AsyncEngine) -> list[Any]:
    """What Alembic would change in the ready-made tables."""
    options = {"compare_type": True, "include_object": include_object}

    def compare(connection: Connection) -> list[Any]:
        context = MigrationContext.configure(connection, opts=options)
        return list(compare_metadata(context, Base.metadata))

    async with engine.connect() as connection:
        return await connection.run_sync(compare)


async def drop_everything(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.drop_all)
        await connection.execute(text("DROP TABLE IF EXISTS llm_alembic_version"))


async def table_names(engine: AsyncEngine) -> set[str]:
    async with engine.connect() as connection:
        return set(await connection.run_sync(lambda it: inspect(it).get_table_names()))


async def execute_script(engine: AsyncEngine, script: str) -> None:
    """As a client of the database does, statement by statement."""
    async with engine.connect() as connection:
        for statement in script.split(";\n"):
            lines = [line for line in statement.splitlines() if not line.startswith("--")]
            if bare := "\n".join(lines).strip():
                await connection.exec_driver_sql(bare)
        await connection.commit()
