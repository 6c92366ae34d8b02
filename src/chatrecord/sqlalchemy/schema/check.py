"""The error that says how the tables differ from the models, and what to do."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import TypeAlias

from sqlalchemy import Table
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from chatrecord.errors import DatabaseFailed, SchemaDifference, SchemaError

from .comparison import differences
from .revision import REVISION

PAGE = "docs/how-to/upgrading.md"
_SHOWN = 5
"""More differences than this are counted."""

_SHARE = 0.8
"""The part of the patience that an explanation may take."""

_FIX = (
    "Run `chatrecord migrate` for the ready-made tables, or migrations of your own for others: see "
    f"{PAGE}"
)


Reading: TypeAlias = Callable[[], AbstractAsyncContextManager[AsyncConnection]]
"""Begins a transaction that writes nothing."""


async def check_schema(reading: Reading, tables: Sequence[Table]) -> None:
    """Raise `SchemaError` if these tables cannot be used as they are."""
    async with reading() as connection:
        found = await connection.run_sync(differences, tables)
    if found:
        raise schema_error(found, tables)


async def explained(
    failure: DatabaseFailed, engine: AsyncEngine, tables: Sequence[Table], patience: float
) -> DatabaseFailed:
    """The differences that made a statement fail; the failure itself if there are none.

    Also if that takes long: the only connection may be that of the caller.
    """
    try:
        async with asyncio.timeout(patience * _SHARE), engine.connect() as connection:
            found = await connection.run_sync(differences, tables)
    except (SQLAlchemyError, OSError):
        return failure
    return schema_error(found, tables) if found else failure


def schema_error(found: Sequence[SchemaDifference], tables: Sequence[Table]) -> SchemaError:
    """What to raise for these differences."""
    missing = [each.table for each in found if each.column is None]
    if len(missing) == len(tables):
        msg = (
            f"There are no tables: {missing[0]} and the others are missing. Create the tables "
            f"first: await db.create_tables(), or run your migrations: see {PAGE}"
        )
        return SchemaError(msg, found)
    told = "; ".join(str(each) for each in found[:_SHOWN])
    more = f"; and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    msg = f"The tables differ from the models (revision {REVISION}). {told}{more}. {_FIX}"
    return SchemaError(msg, found)
