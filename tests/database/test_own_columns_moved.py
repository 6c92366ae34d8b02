"""Columns of the user's own, of any type, move with their chat."""

from __future__ import annotations

import enum
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import JSON, Enum, Interval, LargeBinary, Numeric, PickleType, String, Uuid
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from chatrecord.errors import ImportInvalid
from chatrecord.sqlalchemy import (
    ChatMixin,
    ChunkMixin,
    Database,
    MessageMixin,
    RunMixin,
    create_chat,
    export_chat,
    import_chat,
)
from chatrecord.sqlalchemy.types import UtcDateTime
from chatrecord.testing import Script


class Mood(enum.Enum):
    GOOD = 1
    BAD = 2


class Base(DeclarativeBase):
    pass


class RichChat(ChatMixin, Base):
    __tablename__ = "rich_chats"
    number: Mapped[int | None]
    share: Mapped[float | None]
    is_open: Mapped[bool | None]
    name: Mapped[str | None] = mapped_column(String(50))
    price: Mapped[Decimal | None] = mapped_column(Numeric(10, 2))
    mood: Mapped[Mood | None] = mapped_column(Enum(Mood))
    due: Mapped[date | None]
    hour: Mapped[time | None]
    at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    naive: Mapped[datetime | None]
    took: Mapped[timedelta | None] = mapped_column(Interval)
    key: Mapped[UUID | None] = mapped_column(Uuid)
    raw: Mapped[bytes | None] = mapped_column(LargeBinary)
    tags: Mapped[list[Any] | None] = mapped_column(JSON)
    thing: Mapped[Any | None] = mapped_column(PickleType)


class RichRun(RunMixin, Base):
    __tablename__ = "rich_runs"


class RichMessage(MessageMixin, Base):
    __tablename__ = "rich_messages"


class RichChunk(ChunkMixin, Base):
    __tablename__ = "rich_chunks"


VALUES: dict[str, Any] = {
    "number": 2**40, "share": 0.1 + 0.2, "is_open": True, "name": "ünï \x1a",
    "price": Decimal("12.30"), "mood": Mood.BAD, "due": date(2026, 1, 2), "hour": time(1, 2, 3),
    "at": datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC),
    "naive": datetime(2026, 1, 2, 3, 4, 5, 6),  # noqa: DTZ001
    "took": timedelta(days=1, microseconds=7), "key": UUID(int=7), "raw": b"\x00\xff",
    "tags": [{"type": "json", "value": 1}, None],
}  # fmt: skip


@pytest.fixture
async def rich(tmp_path: Path) -> Any:
    async with Database(f"sqlite:///{tmp_path / 'rich.db'}", models=Base) as db:
        await db.create_tables()
        yield db


async def test_columns_of_any_type_come_back_as_they_were(rich: Any) -> None:
    chat = await create_chat(rich, Script(), **VALUES)
    lines = [line async for line in export_chat(rich, chat.id)]

    copy = await import_chat(rich, lines, new_ids=True, name="another")

    expected = VALUES | {"name": "another", "thing": None}
    assert copy.columns == expected
    assert {name: type(value) for name, value in copy.columns.items()} == {
        name: type(value) for name, value in expected.items()
    }


async def test_columns_that_the_target_has_not_are_left_out(rich: Any, db: Database) -> None:
    chat = await create_chat(rich, Script(), **VALUES)

    record = await import_chat(db, export_chat(rich, chat.id), user_id="ann")

    assert record.columns == {"user_id": "ann"}


async def test_a_column_that_cannot_be_written_is_named(rich: Any) -> None:
    chat = await create_chat(rich, Script(), thing={1, 2})

    with pytest.raises(TypeError, match="column thing holds a set"):
        [line async for line in export_chat(rich, chat.id)]


async def test_a_column_that_does_not_fit_the_target_is_named(rich: Any, db: Database) -> None:
    chat = await create_chat(db, Script(), user_id="ann")
    lines = [line async for line in export_chat(db, chat.id)]
    lines[1] = lines[1].replace('"user_id":"ann"', '"user_id":{"type":"date","value":"2026-01-01"}')

    with pytest.raises(ImportInvalid, match="Line 2 has a column that does not fit here: user_id="):
        await import_chat(db, lines, new_ids=True)
