"""The tables that Django's migrations make are those that the library expects."""

from __future__ import annotations

import asyncio
import warnings
from dataclasses import fields
from typing import Any

import pytest
from sqlalchemy import Connection, inspect
from sqlalchemy.ext.asyncio import create_async_engine

from chatrecord.sqlalchemy import Database
from chatrecord.sqlalchemy.tables import READY_MADE
from chatrecord.sqlalchemy.types import UtcDateTime

TABLES = [table.name for table in READY_MADE.tables]
SAME = {  # spelled by SQLAlchemy and by Django
    "BOOLEAN": "BOOL",
    "DOUBLE_PRECISION": "DOUBLE",
    "TINYINT(1)": "BOOL",
    "REAL": "DOUBLE",
}


def found(url: Any) -> dict[str, Any]:
    async def look() -> dict[str, Any]:
        engine = create_async_engine(url)
        async with engine.connect() as connection:
            told = await connection.run_sync(described)
        await engine.dispose()
        return told

    return asyncio.run(look())


def described(connection: Connection) -> dict[str, Any]:
    look = inspect(connection)
    return {
        table: {
            "columns": {
                column["name"]: (spelled(column["type"], connection), column["nullable"])
                for column in look.get_columns(table)
                if column["name"] != "user_id"  # a text there, a foreign key here
            },
            "key": look.get_pk_constraint(table)["constrained_columns"],
            "unique": uniques(look, table),
            "indexes": indexes(look, table),
            "references": sorted(
                (key["constrained_columns"], key["referred_table"], key["options"].get("ondelete"))
                for key in look.get_foreign_keys(table)
                if key["constrained_columns"] != ["user_id"]
            ),
        }
        for table in TABLES
    }


def spelled(kind: Any, connection: Connection) -> str:
    said = kind.compile(dialect=connection.dialect).upper()
    said = said.replace("INTEGER(11)", "INTEGER").replace("DOUBLE PRECISION", "DOUBLE")
    return SAME.get(said, said)


def uniques(look: Any, table: str) -> set[tuple[str, ...]]:
    """However a database tells of what is unique: an index, a constraint, or both."""
    constraints = [it["column_names"] for it in look.get_unique_constraints(table)]
    hidden = {"include_auto_indexes": True} if look.dialect.name == "sqlite" else {}
    unique = [it["column_names"] for it in look.get_indexes(table, **hidden) if it["unique"]]
    key = look.get_pk_constraint(table)["constrained_columns"]
    return {tuple(columns) for columns in (*constraints, *unique) if columns != key}


def indexes(look: Any, table: str) -> set[tuple[str, ...]]:
    plain = {tuple(it["column_names"]) for it in look.get_indexes(table) if not it["unique"]}
    key = tuple(look.get_pk_constraint(table)["constrained_columns"])
    covered = {columns[:n] for columns in (*plain, *uniques(look, table), key) for n in (1, 2)}
    return {columns for columns in plain if len(columns) > 1 or columns not in covered - plain}


async def drop_search(url: str) -> None:
    """A test of searches may have left its indexes in this database."""
    async with Database(url) as db:
        await db.drop_search()


def test_they_are_those_of_the_mixins(site: str, request: pytest.FixtureRequest) -> None:
    from chatrecord.django import db

    url = request.getfixturevalue(f"{site}_url")
    asyncio.run(drop_search(url))
    expected = found(url)

    assert found(db.engine.url) == expected


def test_no_migration_is_missing(small_site: str) -> None:
    """Whoever adds a column to a mixin runs `python -m django makemigrations chatrecord`, too."""
    from django.core.management import call_command

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a database of another test may not be there
        call_command("makemigrations", "chatrecord", check=True, dry_run=True, verbosity=0)


def test_every_column_of_a_mixin_is_mapped(small_site: str) -> None:
    from chatrecord.django import get_database

    models = get_database().models
    for kind in (field.name for field in fields(READY_MADE)):
        ours = getattr(models, kind).__table__.columns
        theirs = getattr(READY_MADE, kind).__table__.columns
        assert set(ours.keys()) == set(theirs.keys())
        assert [type(ours[column.name].type) for column in theirs if column.name != "user_id"] == [
            type(column.type) for column in theirs if column.name != "user_id"
        ]
    assert isinstance(models.chat.__table__.columns["updated_at"].type, UtcDateTime)


def test_check_finds_no_difference(site: str) -> None:
    from chatrecord.django import get_database
    from chatrecord.sqlalchemy.sync import wait

    wait(get_database().check())
