"""Statements that are sent straight to the driver do what they do through SQLAlchemy."""

import gc
from typing import Any
from uuid import uuid4

import pytest
from drivers import DRIVERS, leaves_writers, url_by
from pydantic_ai.exceptions import ModelHTTPError
from sqlalchemy import URL, bindparam, event, make_url, select, text
from sqlalchemy.exc import IntegrityError, StatementError
from sqlalchemy.ext.asyncio import create_async_engine

from chatrecord import Attachment
from chatrecord.sqlalchemy import Database, create_chat
from chatrecord.sqlalchemy.engine import direct
from chatrecord.sqlalchemy.engine.plans import Plans
from chatrecord.sqlalchemy.store.rows import values_of
from chatrecord.testing import Script, call, fail, say

ODD = "nul \x00, substitute \x1a001a, lone \ud800, \U0001f600, naïve"


def look(text: str) -> dict[str, Any]:
    return {"found": [text, None, 1.5, 2**60, True], "text": text}


@pytest.fixture(params=["aiosqlite", *DRIVERS])
def url(request: pytest.FixtureRequest) -> str | URL:
    if request.param == "aiosqlite":
        return str(request.getfixturevalue("sqlite_url"))
    return url_by(request.param, request)


@leaves_writers
async def test_rows_written_one_way_are_read_the_other(url: str | URL) -> None:
    """Turn by turn; the listener makes a turn go through SQLAlchemy."""
    async with Database(url) as db:
        answers = [
            [[call("look", text=ODD)], [say(ODD, "end")]]
            if turn % 2
            else [[fail(ModelHTTPError(503, ODD))], [say("again ", ODD)]]
            for turn in range(6)
        ]
        script = Script(*[answer for turn in answers for answer in turn])
        chat = await create_chat(db, script, tools=[look], title="direct", metadata={"odd": ODD})
        for turn in range(6):
            if turn % 3:
                await chat.ask(ODD, attachments=[Attachment(data=b"abc", media_type="text/plain")])
            else:
                with heard(db) as statements:
                    await chat.ask(ODD)
                assert len(statements) > 5

        straight = await everything(db, chat)
        with heard(db):
            through_sqlalchemy = await everything(db, chat)

    assert straight == through_sqlalchemy
    assert [len(rows) for rows in straight[:3]] == [18, 3, 12]


async def everything(db: Database, chat: Any) -> tuple[Any, ...]:
    """Read twice: a statement is known from its second execution on."""
    for _ in range(2):
        rows = (
            await chat.messages(),
            await chat.tool_calls(),
            await chat.requests(),
            await chat.usage(),
            await db.store.get_chat(chat.id, {}),
        )
    return rows


class heard:  # noqa: N801 - reads as a context manager
    """What somebody hears who listens to executions."""

    def __init__(self, db: Database) -> None:
        self._engine = db.engine.sync_engine
        self._statements: list[str] = []

    def __enter__(self) -> list[str]:
        event.listen(self._engine, "before_cursor_execute", self._hear)
        return self._statements

    def __exit__(self, *_: object) -> None:
        event.remove(self._engine, "before_cursor_execute", self._hear)

    def _hear(self, _c: Any, _cursor: Any, sql: str, *_: Any) -> None:
        self._statements.append(sql)


async def test_an_engine_that_logs_goes_the_ordinary_way(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(direct, "_executed", None)
    engine = create_async_engine(sqlite_url, echo=True)
    async with Database(engine) as db:
        chat = await create_chat(db, Script([say("one")], [say("two")]))
        await chat.ask("Hi!")
        assert (await chat.ask("And?")).text == "two"
    await engine.dispose()


async def test_a_map_of_schemas_is_followed(own_url: str) -> None:
    """As teams have it with a schema for each of their customers."""
    if make_url(own_url).get_backend_name() != "postgresql":
        pytest.skip("only PostgreSQL has schemas within a database")
    plain = create_async_engine(own_url)
    async with plain.begin() as connection:
        await connection.execute(text("CREATE SCHEMA tenant"))
    engine = plain.execution_options(schema_translate_map={None: "tenant"})
    async with Database(engine) as db:
        await db.create_tables()
        chat = await create_chat(db, Script([say("one")], [say("two")], [say("three")]))
        for _ in range(3):
            await chat.ask("Hi!")

    async with plain.begin() as connection:
        counts = [
            (await connection.execute(text(f"SELECT count(*) FROM {schema}.llm_messages"))).scalar()
            for schema in ("tenant", "public")
        ]
    assert counts == [6, 0]
    await plain.dispose()


async def test_errors_are_those_of_sqlalchemy(backend: Database) -> None:
    """So that their codes, their connections and what to do about them are told as ever."""
    chat = await create_chat(backend, Script([say("one")]))
    await chat.ask("Hi!")
    message = (await chat.messages())[0]
    statement = backend.store._sql.message.insert(*values_of(message))
    for _ in range(2):
        with pytest.raises(IntegrityError):
            async with backend.engine.begin() as plain:
                connection = direct.direct(backend.engine, plain, backend.store._plans)
                await connection.execute(statement, values_of(message))
    odd = {
        **values_of(message),
        "id": uuid4(),
        "created_at": message.created_at.replace(tzinfo=None),
    }
    with pytest.raises(StatementError, match="has no time zone"):
        async with backend.engine.begin() as plain:
            connection = direct.direct(backend.engine, plain, backend.store._plans)
            await connection.execute(statement, odd)


async def test_lists_have_a_plan_for_each_length_and_statements_of_one_use_none(
    backend: Database,
) -> None:
    runs = backend.store._sql.run
    ids = bindparam("run_ids", expanding=True, type_=runs.id.type)
    statement = select(runs.id).where(runs.id.in_(ids))
    plans = Plans(backend.engine.dialect)
    one, two = {"run_ids": [uuid4()]}, {"run_ids": [uuid4(), uuid4()]}

    assert plans.find(statement, one) is None
    plan = plans.find(statement, one)

    assert plan is not None
    assert plans.find(statement, one) is plan
    assert plans.find(statement, two) not in (None, plan)
    assert plans.find(statement, {"run_ids": []}) is None
    assert plans.find(statement, {}) is None

    plans.find(select(runs.id), {})
    gc.collect()
    assert len(plans._known) == 1
