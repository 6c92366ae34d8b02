"""The user owns the base, the tables, the names and the columns."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import own_tables as hr
import pytest
from sqlalchemy import ForeignKey, String, func, insert, inspect, select
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from chatrecord.errors import ChatNotFound, ConfigurationError
from chatrecord.sqlalchemy import (
    ChatMixin,
    ChunkMixin,
    Database,
    MessageMixin,
    Models,
    RunMixin,
    create_chat,
    delete_chat,
    list_chats,
    load_chat,
)
from chatrecord.testing import Script, call, hang, say
from chatrecord.testing.look import has_journal, until


@pytest.fixture
async def own(any_url: str) -> AsyncIterator[Database[Any]]:
    """The team's tables on each database, with two users."""
    async with Database(any_url, models=hr.Base) as db:
        async with db.engine.begin() as connection:
            await connection.run_sync(hr.Base.metadata.drop_all)
        await db.create_tables()
        async with db.engine.begin() as connection:
            await connection.execute(
                insert(hr.User), [{"id": 1, "name": "Ann"}, {"id": 2, "name": "Bob"}]
            )
        yield db
        async with db.engine.begin() as connection:
            await connection.run_sync(hr.Base.metadata.drop_all)


async def test_a_chat_lives_in_the_teams_own_tables(own: Database[Any]) -> None:
    chat = await create_chat(own, Script([say("Hello")]), user_id=1, department="Engineering")

    await chat.ask("Hi!")

    assert chat.record.columns == {"user_id": 1, "department": "Engineering", "priority": 3}
    async with own.engine.connect() as connection:
        told = select(hr.User.name, hr.HrChat.department, hr.HrMessage.text).join_from(
            hr.User, hr.HrChat
        )
        told = told.join(hr.HrMessage, hr.HrMessage.chat_id == hr.HrChat.id)
        rows = (await connection.execute(told.order_by(hr.HrMessage.seq))).all()
    assert [tuple(row) for row in rows] == [
        ("Ann", "Engineering", "Hi!"),
        ("Ann", "Engineering", "Hello"),
    ]


async def test_own_columns_are_the_scope(own: Database[Any]) -> None:
    chat = await create_chat(own, Script(), user_id=1, department="HR")
    await create_chat(own, Script(), user_id=2, department="HR")

    assert [found.id for found in await list_chats(own, user_id=1, department="HR")] == [chat.id]
    with pytest.raises(ChatNotFound):
        await load_chat(own, Script(), chat.id, user_id=2)
    with pytest.raises(ChatNotFound):
        await delete_chat(own, chat.id, user_id=1, department="Sales")


async def test_an_unknown_keyword_is_refused_with_the_known_ones(own: Database[Any]) -> None:
    with pytest.raises(TypeError, match=r"'departmnt'.*user_id, department, priority.*on_disconn"):
        await create_chat(own, Script(), user_id=1, departmnt="HR")
    with pytest.raises(TypeError, match="'tools'"):
        await list_chats(own, tools=[])


async def test_the_database_takes_all_rows_with_the_user(own: Database[Any]) -> None:
    chat = await create_chat(own, Script([say("Hello")]), user_id=1)
    await chat.ask("Hi!")

    async with own.engine.begin() as connection:
        await connection.execute(hr.User.__table__.delete().where(hr.User.id == 1))

    async with own.engine.connect() as connection:
        for model in (hr.HrChat, hr.HrRun, hr.HrMessage, hr.HrRequest):
            count = select(func.count()).select_from(model)
            assert (await connection.execute(count)).scalar() == 0


async def test_indexes_are_there_whatever_the_table_args_say(own: Database[Any]) -> None:
    async with own.engine.connect() as connection:
        indexes = await connection.run_sync(lambda c: inspect(c).get_indexes("hr_messages"))
    assert ["chat_id", "seq"] in [index["column_names"] for index in indexes if index["unique"]]


async def test_a_chat_can_be_made_in_the_callers_transaction(own: Database[Any]) -> None:
    async with AsyncSession(own.engine) as session:
        session.add(hr.User(id=7, name="Cyd"))
        await session.flush()
        kept = await create_chat(own, Script([say("Hi")]), user_id=7, connection=session)
        await session.commit()
    async with own.engine.connect() as connection:
        dropped = await create_chat(own, Script(), user_id=7, connection=connection)
        await connection.rollback()

    assert (await kept.ask("Hi!")).text == "Hi"
    assert [chat.id for chat in await list_chats(own, user_id=7)] == [kept.id]
    with pytest.raises(ChatNotFound):
        await dropped.ask("Hi!")


async def test_a_smaller_schema_keeps_the_chat_and_drops_the_rest(any_url: str) -> None:
    async with Database(any_url, keep_tool_calls=False, keep_requests=False) as db:
        script = Script([call("pick", n=1)], [say("done")])
        chat = await create_chat(db, script, tools=[pick])

        reply = await chat.ask("Pick")

        assert reply.tool_calls[0].result == 1
        assert len(await chat.messages()) == 4
        assert (await chat.usage()).input_tokens == 100
        for look in (chat.tool_calls, chat.requests):
            with pytest.raises(ConfigurationError, match="not kept"):
                await look()


async def test_a_journal_may_refer_to_its_messages(own_url: str) -> None:
    """As tables of earlier versions do."""

    class Old(DeclarativeBase): ...

    class OldChat(ChatMixin, Old):
        __tablename__ = "old_chats"

    class OldRun(RunMixin, Old):
        __tablename__ = "old_runs"

    class OldMessage(MessageMixin, Old):
        __tablename__ = "old_messages"

    class OldChunk(ChunkMixin, Old):
        __tablename__ = "old_chunks"
        message_id: Mapped[UUID] = mapped_column(
            ForeignKey("old_messages.id", ondelete="CASCADE"), primary_key=True, sort_order=-1
        )

    async with Database(own_url, models=Old) as db:
        await db.create_tables()
        chat = await create_chat(db, Script([say("a ", "b ", "c", pause=0.1)], [say("d"), hang()]))
        assert [chunk.text async for chunk in chat.stream("Go")] == ["a ", "b ", "c"]
        asking = asyncio.create_task(chat.ask("More"))
        await until(lambda: has_journal(db, chat))

        await delete_chat(db, chat.id)

        await asyncio.gather(asking, return_exceptions=True)
        async with db.engine.connect() as connection:
            assert (await connection.execute(select(OldChunk.__table__))).all() == []


async def test_a_smaller_schema_has_fewer_tables() -> None:
    async with Database("sqlite://", keep_tool_calls=False, keep_requests=False) as db:
        await db.create_tables()
        async with db.engine.connect() as connection:
            names = await connection.run_sync(lambda c: inspect(c).get_table_names())
    assert "llm_messages" in names
    assert {"llm_tool_calls", "llm_requests", "llm_usage_days"}.isdisjoint(names)


def pick(n: int) -> int:
    return n


def test_a_mixin_without_its_chat_says_what_to_do() -> None:
    class Alone(DeclarativeBase): ...

    with pytest.raises(ConfigurationError, match="class with ChatMixin declared before it"):

        class _Message(MessageMixin, Alone):
            __tablename__ = "messages"


def test_two_families_on_one_base_are_named() -> None:
    class Two(DeclarativeBase): ...

    class Hr(ChatMixin, Two):
        __tablename__ = "hr"

    class Support(ChatMixin, Two):
        __tablename__ = "support"

    class Run(RunMixin, Two):
        __tablename__ = "support_runs"
        __chat__ = Support

    (key,) = Run.__table__.foreign_keys
    assert key.column.table.name == "support"
    with pytest.raises(ConfigurationError, match="Hr, Support"):
        Models.of(Two)


def test_a_base_without_a_table_says_which() -> None:
    class Empty(DeclarativeBase): ...

    with pytest.raises(ConfigurationError, match="no class with ChatMixin"):
        Database("sqlite://", models=Empty)


async def test_an_engine_of_ones_own_is_used_as_it_is(tmp_path: Any) -> None:
    engine = create_async_engine(f"sqlite+aiosqlite:///{tmp_path / 'own.db'}")
    db = Database(engine)
    await db.create_tables()
    chat = await create_chat(db, Script([say("hi")]), user_id="u")
    await chat.ask("Hi!")
    await delete_chat(db, chat.id)
    assert await chat.messages() == []
    async with engine.connect() as connection:
        assert (await connection.exec_driver_sql("PRAGMA journal_mode")).scalar() == "delete"
    await db.close()
    async with engine.connect() as connection:
        assert (await connection.exec_driver_sql("SELECT 1")).scalar() == 1, "it stays open"
    await engine.dispose()


@pytest.mark.parametrize(
    ("url", "match"),
    [("nonsense", "no database URL"), ("foxpro://x", "no database 'foxpro'")],
)
def test_a_url_that_cannot_work_says_so(url: str, match: str) -> None:
    with pytest.raises(ConfigurationError, match=match):
        Database(url)


def test_extra_columns_may_be_typed_like_any_other() -> None:
    class Typed(DeclarativeBase): ...

    class Chat(ChatMixin, Typed):
        __tablename__ = "chats"
        tenant: Mapped[str] = mapped_column(String(20))

    assert Chat.__table__.c.tenant.type.length == 20
