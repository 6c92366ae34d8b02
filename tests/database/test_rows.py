"""A chat is made of an instance of the application's class, and is read and changed as one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import own_tables as hr
import pytest
from sqlalchemy import ForeignKey, String, insert, inspect
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import DeclarativeBase, Mapped, MappedAsDataclass, mapped_column, relationship
from sqlalchemy.orm.exc import DetachedInstanceError

from chatrecord.errors import ChatNotFound
from chatrecord.ids import new_id
from chatrecord.sqlalchemy import (
    ChatMixin,
    ChunkMixin,
    Database,
    MessageMixin,
    Models,
    RunMixin,
    create_chat,
    load_chat,
)
from chatrecord.sqlalchemy.tables import Chat as ReadyMadeChat
from chatrecord.testing import Script, say


class Base(MappedAsDataclass, DeclarativeBase, kw_only=True):
    """A team's base of dataclasses."""


class Person(Base):
    __tablename__ = "row_people"
    id: Mapped[int] = mapped_column(primary_key=True)


class RowChat(ChatMixin, Base):
    __tablename__ = "row_chats"
    user_id: Mapped[int] = mapped_column(ForeignKey("row_people.id"))
    department: Mapped[str | None] = mapped_column("dept", String(50), default=None)
    priority: Mapped[int] = mapped_column(default=3)
    person: Mapped[Person | None] = relationship(default=None)


class RowRun(RunMixin, Base):
    __tablename__ = "row_runs"


class RowMessage(MessageMixin, Base):
    __tablename__ = "row_messages"


class RowChunk(ChunkMixin, Base):
    __tablename__ = "row_chunks"


MODELS = Models(chat=RowChat, run=RowRun, message=RowMessage, chunk=RowChunk)


@pytest.fixture
async def rows(any_url: str) -> AsyncIterator[Database[RowChat]]:
    async with Database(any_url, models=MODELS) as db:
        async with db.engine.begin() as connection:
            await connection.run_sync(Base.metadata.drop_all)
        await db.create_tables()
        async with db.engine.begin() as connection:
            await connection.execute(insert(Person), [{"id": 1}, {"id": 2}])
        yield db
        async with db.engine.begin() as connection:
            await connection.run_sync(Base.metadata.drop_all)


async def test_a_chat_is_made_of_a_row_and_read_as_one(rows: Database[RowChat]) -> None:
    given = RowChat(user_id=1, department="HR")

    chat = await create_chat(rows, Script([say("hi")]), given, title="Travel")
    assert (await chat.ask("Hi!")).text == "hi"

    loaded = await load_chat(rows, Script(), chat.id, user_id=1)
    for row in (chat.row, loaded.row):
        assert type(row) is RowChat
        assert (row.user_id, row.department, row.priority) == (1, "HR", 3)
        assert (row.id, row.title, row.metadata_) == (chat.id, "Travel", {})
        assert inspect(row).detached
        with pytest.raises(DetachedInstanceError):
            _ = row.person
        with pytest.raises(TypeError, match=r"chat\.update"):
            row.metadata_["team"] = "HR"
    assert inspect(given).transient


async def test_a_changed_row_changes_its_chat(rows: Database[RowChat]) -> None:
    chat = await create_chat(rows, Script(), RowChat(user_id=1, department="HR"))

    chat.row.department = None
    chat.row.title = "Travel"
    await chat.update(chat.row, priority=1, metadata={"team": "HR"})

    loaded = await load_chat(rows, Script(), chat.id, user_id=1)
    row = loaded.row
    assert (row.user_id, row.department, row.priority, row.title) == (1, None, 1, "Travel")
    assert loaded.metadata == {"team": "HR"}
    assert chat.record == loaded.record

    await chat.update(chat.row)  # nothing has changed in it since
    row.user_id = 2
    await loaded.update(row)
    with pytest.raises(ChatNotFound):
        await load_chat(rows, Script(), chat.id, user_id=1)


async def test_a_row_can_be_added_to_a_session(rows: Database[RowChat]) -> None:
    chat = await create_chat(rows, Script(), RowChat(user_id=1))

    async with AsyncSession(rows.engine) as session:
        session.add(chat.row)
        chat.row.department = "IT"
        await session.commit()

    assert (await load_chat(rows, Script(), chat.id)).row.department == "IT"


async def test_a_row_can_bring_what_the_library_keeps(rows: Database[RowChat]) -> None:
    given, chosen = RowChat(user_id=1), new_id()
    given.id, given.title, given.metadata_ = chosen, "Travel", {"team": "HR"}

    chat = await create_chat(rows, Script(), given)

    assert (chat.id, chat.title, chat.metadata) == (chosen, "Travel", {"team": "HR"})


async def test_a_row_that_no_chat_can_be_made_of_is_refused(rows: Database[Any]) -> None:
    def row(**values: Any) -> RowChat:
        made = RowChat(user_id=1)
        for name, value in values.items():
            setattr(made, name, value)
        return made

    stored = (await create_chat(rows, Script(), RowChat(user_id=1))).row
    wrong: list[tuple[object, dict[str, Any], type[Exception], str]] = [
        (hr.HrChat(user_id=1), {}, TypeError, "is a RowChat here, not HrChat"),
        ({"user_id": 1}, {}, TypeError, "is a RowChat here, not dict"),
        (stored, {}, ValueError, "takes a new RowChat"),
        (row(user_id="1"), {}, TypeError, "user_id= takes int, not str"),
        (row(department="x" * 51), {}, ValueError, "department= takes at most 50"),
        (row(next_seq=7), {}, TypeError, "next_seq of a chat is set by the library"),
        (row(model="gpt"), {}, TypeError, "model of a chat is set by the library"),
        (row(title=" "), {}, ValueError, "title= is blank"),
        (row(metadata_={"n": {1}}), {}, TypeError, "which JSON has not"),
        (row(title="a"), {"title": "b"}, TypeError, "title is given twice"),
        (row(), {"user_id": 2}, TypeError, "user_id is given twice"),
        (row(person=Person(id=3)), {}, TypeError, "RowChat.person is a relationship"),
    ]
    for given, keywords, error, message in wrong:
        with pytest.raises(error, match=message):
            await create_chat(rows, Script(), given, **keywords)


async def test_a_row_that_cannot_change_a_chat_is_refused(rows: Database[RowChat]) -> None:
    chat = await create_chat(rows, Script(), RowChat(user_id=1))
    other = await create_chat(rows, Script(), RowChat(user_id=1))
    before = chat.record

    for stranger in (other.row, RowChat(user_id=1)):
        with pytest.raises(ValueError, match=r"change chat\.row"):
            await chat.update(stranger)
    chat.row.priority = "high"  # type: ignore[assignment]
    with pytest.raises(TypeError, match="priority= takes int"):
        await chat.update(chat.row)
    again = await load_chat(rows, Script(), chat.id)
    again.row.next_seq = 7
    with pytest.raises(TypeError, match="next_seq of a chat is set by the library"):
        await again.update(again.row)
    assert (await load_chat(rows, Script(), chat.id)).record == before


async def test_a_chat_in_the_ready_made_tables_has_a_row(db: Database) -> None:
    chat = await create_chat(db, Script(), ReadyMadeChat(user_id="u1"), metadata={"team": "HR"})

    chat.row.user_id = "u2"
    await chat.update(chat.row)

    assert (await load_chat(db, Script(), chat.id, user_id="u2")).row.metadata_ == {"team": "HR"}


async def test_defaults_that_the_database_sets_are_in_the_row(tmp_path: Any) -> None:
    async with Database(f"sqlite:///{tmp_path / 'hr.db'}", models=hr.Base) as db:
        await db.create_tables()
        async with db.engine.begin() as connection:
            await connection.execute(insert(hr.User), [{"id": 1, "name": "Ann"}])
        chat = await create_chat(db, Script(), hr.HrChat(user_id=1))
        assert (chat.row.department, chat.row.priority) == (None, 3)
