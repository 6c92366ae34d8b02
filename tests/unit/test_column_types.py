"""What the columns of SQLite give back, whoever has written it."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest
from sqlalchemy import Column, MetaData, Table, Uuid, create_engine, insert, select, text

from chatrecord.sqlalchemy.engine.plans import Plans
from chatrecord.sqlalchemy.types import LongText, PrivateText, UtcDateTime

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
ID = UUID("0193a1b2-0000-7000-8000-00000000000a")


@pytest.mark.parametrize(
    "written",
    [
        "2026-11-30 12:00:00.000000",
        "2026-11-30 12:00:00",
        "2026-11-30T12:00:00+00:00",
        "2026-11-30 14:00:00.000000+02:00",
    ],
)
def test_a_moment_is_read_in_every_form_of_iso_8601(written: str) -> None:
    table = Table("t", MetaData(), Column("at", UtcDateTime))
    with create_engine("sqlite://").begin() as connection:
        table.create(connection)
        connection.execute(text("INSERT INTO t VALUES (:at)"), {"at": written})

        assert connection.execute(select(table)).scalar_one() == NOON


def test_a_day_alone_is_its_midnight_in_utc() -> None:
    table = Table("t", MetaData(), Column("at", UtcDateTime))
    with create_engine("sqlite://").begin() as connection:
        table.create(connection)
        connection.execute(text("INSERT INTO t VALUES ('2026-11-30')"))

        found = connection.execute(select(table)).scalar_one()

    assert found == NOON.replace(hour=0)


def test_a_moment_is_written_as_sqlalchemy_writes_it() -> None:
    table = Table("t", MetaData(), Column("at", UtcDateTime))
    with create_engine("sqlite://").begin() as connection:
        table.create(connection)
        connection.execute(insert(table), {"at": NOON})

        stored = connection.execute(text("SELECT at FROM t")).scalar_one()

    assert stored == "2026-11-30 12:00:00.000000"


@pytest.mark.parametrize("written", [ID.hex, str(ID), ID.hex.upper()])
def test_an_id_is_read_in_every_form(written: str) -> None:
    table = Table("t", MetaData(), Column("id", Uuid))
    dialect = create_engine("sqlite://").dialect
    plan = Plans(dialect).made(select(table), {})
    assert plan is not None

    assert list(plan.read([[written], [None]], [None])) == [[ID], [None]]


def test_a_plan_gives_escaped_text_back_and_leaves_the_rest() -> None:
    table = Table("t", MetaData(), Column("a", LongText), Column("b", PrivateText))
    dialect = create_engine("sqlite://").dialect
    plan = Plans(dialect).made(select(table), {})
    assert plan is not None
    escaped, plain = "nul \x1a0000", "émoji 🙂"

    found = list(plan.read([[escaped, escaped], [plain, plain], [None, None]], [None, None]))

    assert found == [["nul \0", "nul \0"], [plain, plain], [None, None]]
