"""The mixins fit any declarative base, and the tables are the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Column, MetaData, Table
from sqlalchemy.orm import DeclarativeBase, MappedAsDataclass, declarative_base, registry

from chatrecord.sqlalchemy import (
    AttachmentMixin,
    ChatMixin,
    ChunkMixin,
    Database,
    EventMixin,
    EventReaderMixin,
    FeedbackMixin,
    MessageMixin,
    Models,
    RequestMixin,
    RunMixin,
    ToolCallMixin,
    UsageDayMixin,
    create_chat,
    load_chat,
)
from chatrecord.testing import Script, call, say

MIXINS: dict[str, type] = {
    "chat": ChatMixin,
    "run": RunMixin,
    "message": MessageMixin,
    "tool_call": ToolCallMixin,
    "request": RequestMixin,
    "chunk": ChunkMixin,
    "attachment": AttachmentMixin,
    "usage_day": UsageDayMixin,
    "event": EventMixin,
    "event_reader": EventReaderMixin,
    "feedback": FeedbackMixin,
}


def declared(base: type, **options: object) -> Models:
    """A class for each mixin on this base."""
    return Models(
        **{
            kind: type(base)(f"{kind}_row", (mixin, base), {"__tablename__": kind}, **options)
            for kind, mixin in MIXINS.items()
        }
    )


def plain() -> Models:
    class Base(DeclarativeBase):
        pass

    return declared(Base)


def dataclasses() -> Models:
    class Base(MappedAsDataclass, DeclarativeBase):
        pass

    return declared(Base)


def function() -> Models:
    return declared(declarative_base())


def decorated() -> Models:
    mapped = registry()
    return Models(
        **{
            kind: mapped.mapped(type(f"{kind}_row", (mixin,), {
                "__tablename__": kind, "metadata": mapped.metadata
            }))
            for kind, mixin in MIXINS.items()
        }
    )  # fmt: skip


def shared_metadata() -> Models:
    shared = MetaData()

    class Accounts(DeclarativeBase):
        metadata = shared

    class Base(DeclarativeBase):
        metadata = shared

    Table("accounts", Accounts.metadata, Column("id", primary_key=True))
    return declared(Base)


def sqlmodel() -> Models:
    library = pytest.importorskip("sqlmodel")

    class Base(library.SQLModel, registry=registry()):  # type: ignore[misc, name-defined]
        pass

    return declared(Base, table=True)


BASES = [plain, dataclasses, function, decorated, shared_metadata, sqlmodel]


@pytest.mark.parametrize("models_on", BASES, ids=lambda each: each.__name__)
async def test_chats_live_on_any_base(models_on: Callable[[], Models], tmp_path: Path) -> None:
    def add(a: int, b: int) -> int:
        """Add."""
        return a + b

    models = models_on()
    script = Script([call("add", a=1, b=2)], [say("3")])
    async with Database(f"sqlite:///{tmp_path / 'chats.db'}", models=models) as db:
        await db.create_tables()
        chat = await create_chat(db, script, models.chat(), tools=[add], title="Sums")
        assert (await chat.ask("1 + 2?")).text == "3"

        row = (await load_chat(db, script, chat.id)).row
        assert type(row) is models.chat
        assert row.title == "Sums"
        assert len(await chat.tool_calls()) == 1
        assert len(await chat.requests()) == 2


@pytest.mark.parametrize("models_on", BASES[1:], ids=lambda each: each.__name__)
def test_the_tables_are_the_same_on_any_base(models_on: Callable[[], Models]) -> None:
    for table, expected in zip(models_on().tables, plain().tables, strict=True):
        assert table.key == expected.key
        assert described(table) == described(expected)


def described(table: Table) -> dict[str, Any]:
    return {
        "columns": {
            column.name: (type(column.type), column.nullable, column.primary_key)
            for column in table.columns
        },
        "indexes": {
            (index.name, tuple(index.columns.keys()), index.unique) for index in table.indexes
        },
        "foreign keys": {(key.parent.name, key.target_fullname) for key in table.foreign_keys},
        "key": table.primary_key.columns.keys(),
    }
