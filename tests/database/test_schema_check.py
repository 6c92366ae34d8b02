"""The tables are compared with the models, when asked and when something is not there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from uuid import uuid4

import own_tables
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

from chatrecord.errors import DatabaseFailed, SchemaError
from chatrecord.sqlalchemy import Database, create_chat, list_chats, load_chat
from chatrecord.sqlalchemy.sync import wait
from chatrecord.sqlalchemy.tables import Base
from chatrecord.testing import Script, say

BUSY = timedelta(minutes=1)
"""A busy machine may take seconds to read a catalog."""

MISSING = "the column is missing"
NOT_NULL = "it is NOT NULL, and NULL is written into it"
ALTERED = {
    "ALTER TABLE llm_requests DROP COLUMN list_cost": ("llm_requests.list_cost", MISSING),
    "DROP TABLE llm_chunks": ("llm_chunks", "the table is missing"),
    "DROP INDEX ix_llm_runs_status_chat_id": (
        "llm_runs.status",
        "the index on (status, chat_id) is missing",
    ),
    "DROP INDEX ix_llm_messages_chat_id_seq": (
        "llm_messages.chat_id",
        "the unique index on (chat_id, seq) is missing",
    ),
}
ON_POSTGRESQL = {
    "ALTER TABLE llm_chats ALTER agent SET NOT NULL": ("llm_chats.agent", NOT_NULL),
    "ALTER TABLE llm_chats ALTER user_id TYPE varchar(20)": (
        "llm_chats.user_id",
        "VARCHAR(20) is too short: it has to be VARCHAR(255)",
    ),
    "ALTER TABLE llm_chats ALTER created_at TYPE timestamp": (
        "llm_chats.created_at",
        "TIMESTAMP WITHOUT TIME ZONE has no time zone: it has to be TIMESTAMP WITH TIME ZONE",
    ),
    "ALTER TABLE llm_messages ALTER content TYPE jsonb": (
        "llm_messages.content",
        "JSONB is of another type: it has to be JSON",
    ),
    "ALTER TABLE llm_requests ALTER cost TYPE numeric(20,2)": (
        "llm_requests.cost",
        "NUMERIC(20, 2) holds fewer places: it has to be NUMERIC(20, 12)",
    ),
    "ALTER TABLE llm_runs ALTER epoch TYPE smallint": (
        "llm_runs.epoch",
        "SMALLINT holds smaller numbers only: it has to be INTEGER",
    ),
    "ALTER TABLE llm_chats ADD COLUMN tenant integer NOT NULL": (
        "llm_chats.tenant",
        "it is NOT NULL without a default, and the models do not know it",
    ),
    "ALTER TABLE llm_runs DROP CONSTRAINT llm_runs_active_chat_id_key": (
        "llm_runs.active_chat_id",
        "the unique index on (active_chat_id) is missing",
    ),
}
ON_MARIADB = {
    "ALTER TABLE llm_chats MODIFY agent longtext COLLATE utf8mb4_nopad_bin NOT NULL": (
        "llm_chats.agent",
        NOT_NULL,
    ),
    "ALTER TABLE llm_chats MODIFY agent text COLLATE utf8mb4_nopad_bin": (
        "llm_chats.agent",
        "TEXT COLLATE utf8mb4_nopad_bin is too short: it has to be LONGTEXT COLLATE utf8mb4_nopad_bin",
    ),
    "ALTER TABLE llm_chats MODIFY created_at datetime NOT NULL": (
        "llm_chats.created_at",
        "DATETIME holds no microseconds: it has to be DATETIME(6)",
    ),
    "ALTER TABLE llm_chats MODIFY user_id varchar(255) COLLATE utf8mb4_general_ci": (
        "llm_chats.user_id",
        "VARCHAR(255) COLLATE utf8mb4_general_ci compares by utf8mb4_general_ci, which takes different texts for the same: it has to be VARCHAR(255) COLLATE utf8mb4_nopad_bin",
    ),
}
WIDER = {
    "sqlite": ["ALTER TABLE llm_chats ADD COLUMN note text NOT NULL DEFAULT ''"],
    "postgresql": [
        "ALTER TABLE llm_chats ADD COLUMN note text NOT NULL DEFAULT ''",
        "ALTER TABLE llm_chats ADD COLUMN number integer GENERATED ALWAYS AS IDENTITY",
        "ALTER TABLE llm_chats ALTER user_id TYPE text",
        "ALTER TABLE llm_messages ALTER input_tokens TYPE bigint",
        "ALTER TABLE llm_messages ALTER role DROP NOT NULL",
        "DROP INDEX ix_llm_tool_calls_chat_id_id",
        "CREATE INDEX ours ON llm_tool_calls (chat_id, id, name)",
    ],
    "mariadb": [
        "ALTER TABLE llm_messages MODIFY input_tokens bigint",
        "ALTER TABLE llm_chats MODIFY user_id varchar(300) COLLATE utf8mb4_bin",
        "CREATE INDEX ours ON llm_requests (started_at, status)",
        "DROP INDEX ix_llm_requests_started_at ON llm_requests",
    ],
}
"""What the models do not say, and is no difference."""


@pytest.fixture
async def fresh(own_url: str) -> AsyncIterator[Database]:
    async with Database(own_url, patience=BUSY) as db:
        yield db


async def test_what_create_tables_makes_is_no_difference(fresh: Database) -> None:
    await fresh.check()


async def test_own_tables_are_compared_with_their_own_models(own_url: str) -> None:
    async with Database(own_url, models=own_tables.Base) as db:
        await db.create_tables()
        await db.check()

        await execute(db, "ALTER TABLE hr_chats DROP COLUMN dept")
        assert await found(db) == [("hr_chats.dept", MISSING)]


@pytest.mark.parametrize("statement", ALTERED)
async def test_what_is_missing_is_named(fresh: Database, statement: str) -> None:
    if fresh.engine.dialect.name == "mysql" and statement.startswith("DROP INDEX"):
        table = ALTERED[statement][0].partition(".")[0]
        await execute(fresh, "SET FOREIGN_KEY_CHECKS = 0", f"{statement} ON {table}")
    else:
        await execute(fresh, statement)

    assert await found(fresh) == [ALTERED[statement]]


@pytest.mark.parametrize("own_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize("statement", ON_POSTGRESQL)
async def test_what_does_not_fit_is_named(fresh: Database, statement: str) -> None:
    await execute(fresh, statement)

    assert await found(fresh) == [ON_POSTGRESQL[statement]]


@pytest.mark.parametrize("own_url", ["mariadb"], indirect=True)
@pytest.mark.parametrize("statement", ON_MARIADB)
async def test_what_does_not_fit_is_named_on_mariadb(fresh: Database, statement: str) -> None:
    await execute(fresh, statement)

    assert await found(fresh) == [ON_MARIADB[statement]]


async def test_more_than_the_models_say_is_no_difference(
    fresh: Database, request: pytest.FixtureRequest
) -> None:
    name = {"mysql": "mariadb"}.get(fresh.engine.dialect.name, fresh.engine.dialect.name)
    await execute(fresh, *WIDER[name])

    await fresh.check()


@pytest.mark.parametrize("driver", [None, "postgresql+psycopg"])
async def test_missing_tables_are_told_by_every_call(own_url: str, driver: str | None) -> None:
    if driver and "postgresql" not in own_url:
        pytest.skip("a driver of PostgreSQL")
    url = own_url.replace("postgresql+asyncpg", driver) if driver else own_url
    async with Database(url, patience=BUSY) as db:
        async with db.engine.begin() as connection:
            await connection.run_sync(Base.metadata.drop_all)

        for call in (
            create_chat(db, "test"),
            load_chat(db, "test", uuid4()),
            list_chats(db),
            db.check(),
            db.repair(),
            db.doctor(),
        ):
            with pytest.raises(SchemaError, match="llm_chats and the others are missing") as raised:
                await call
            assert "Create the tables first: await db.create_tables()" in str(raised.value)
            assert "docs/how-to/upgrading.md" in str(raised.value)


async def test_the_first_question_names_the_column_of_an_earlier_version(fresh: Database) -> None:
    """An upgrade that was not migrated: without a call of check(), and on every database."""
    chat = await create_chat(fresh, Script([say("hi")]))
    await execute(fresh, "ALTER TABLE llm_requests DROP COLUMN list_cost")

    with pytest.raises(SchemaError, match=r"llm_requests\.list_cost: the column is missing"):
        await chat.ask("Hi!")


async def test_a_column_that_takes_no_null_is_named(own_url: str) -> None:
    if "sqlite" in own_url:
        pytest.skip("has no ALTER for it")
    async with Database(own_url) as db:
        is_mariadb = db.engine.dialect.name == "mysql"
        kind = (
            "MODIFY agent longtext COLLATE utf8mb4_nopad_bin" if is_mariadb else "ALTER agent SET"
        )
        await execute(db, f"ALTER TABLE llm_chats {kind} NOT NULL")

        with pytest.raises(SchemaError, match=r"llm_chats\.agent: it is NOT NULL"):
            await create_chat(db, "test")


async def test_a_missing_value_of_an_own_column_is_no_matter_of_the_schema(own_url: str) -> None:
    async with Database(own_url, models=own_tables.Base) as db:
        await db.create_tables()

        with pytest.raises(DatabaseFailed) as raised:
            await create_chat(db, "test", department="Engineering")
        assert not isinstance(raised.value, SchemaError)


async def test_a_transaction_of_the_users_is_told_too(fresh: Database) -> None:
    await execute(fresh, "ALTER TABLE llm_chats DROP COLUMN title")

    async with AsyncSession(fresh.engine) as session:
        with pytest.raises(SchemaError, match=r"llm_chats\.title: the column is missing"):
            await create_chat(fresh, "test", connection=session)


async def test_the_only_connection_of_a_pool_is_not_waited_for_in_vain(own_url: str) -> None:
    engine = create_async_engine(own_url, pool_size=1, max_overflow=0)
    async with Database(engine) as db:
        await execute(db, "ALTER TABLE llm_chats DROP COLUMN title")
        with pytest.raises(SchemaError, match=r"llm_chats\.title"):
            await create_chat(db, "test")
    await engine.dispose()


async def test_create_tables_warns_of_what_it_does_not_change(
    fresh: Database, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing fails where a unique index is missing, but two runs of a chat could be active."""
    await fresh.create_tables()
    assert caplog.messages == []

    index = "DROP INDEX ix_llm_runs_chat_id_idempotency_key"
    if fresh.engine.dialect.name == "mysql":
        await execute(fresh, "SET FOREIGN_KEY_CHECKS = 0", f"{index} ON llm_runs")
    else:
        await execute(fresh, index)
    await fresh.create_tables()

    (warning,) = caplog.messages
    assert "llm_runs.chat_id: the unique index on (chat_id, idempotency_key) is missing" in warning


async def test_a_map_of_schemas_is_followed(postgresql_url: str) -> None:
    engine = create_async_engine(postgresql_url)
    schema = f"tenant_{uuid4().hex[:8]}"
    mapped = engine.execution_options(schema_translate_map={None: schema})
    async with Database(mapped) as db:
        await execute(db, f"CREATE SCHEMA {schema}")
        assert len(await found(db)) == len(Base.metadata.tables)

        await db.create_tables()
        await db.check()
        await execute(db, f"DROP SCHEMA {schema} CASCADE")
    await engine.dispose()


def test_plain_code_checks_too(own_url: str) -> None:
    async def drop() -> None:
        async with Database(own_url) as db:
            await execute(db, "ALTER TABLE llm_chats DROP COLUMN title")

    asyncio.run(drop())
    db = Database(own_url)
    with pytest.raises(SchemaError, match=r"llm_chats\.title"):
        wait(db.check())
    wait(db.close())


async def execute(db: Database, *statements: str) -> None:
    async with db.engine.begin() as connection:
        for statement in statements:
            await connection.execute(text(statement))


async def found(db: Database) -> Sequence[tuple[str, str]]:
    with pytest.raises(SchemaError) as raised:
        await db.check()
    return [
        (".".join(filter(None, (each.table, each.column))), each.what)
        for each in raised.value.differences
    ]
