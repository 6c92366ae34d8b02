"""Rotation of keys: all private values get the newest key."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from uuid import UUID

from sqlalchemy import Table
from sqlalchemy.ext.asyncio import AsyncConnection

from chatrecord.errors import ConfigurationError
from chatrecord.sqlalchemy.database import AnyDatabase
from chatrecord.sqlalchemy.generics import Row, TableColumn
from chatrecord.sqlalchemy.models.encryption import Keys, keys_of, opened
from chatrecord.sqlalchemy.sql.key_rotation import private_columns, stored_values, write_back
from chatrecord.sqlalchemy.types import PrivateJson
from chatrecord.store.retries import with_retries

BATCH = 100
"""Rows that are read and written in one transaction."""


async def rotate(db: AnyDatabase) -> int:
    """Encrypt plain rows, and rows with an older key, with the newest key. Returns how many.

        db = Database(url, encryption=Keys(newest, older))
        while await rotate(db):
            pass

    Works in batches while the chats are in use: a value that is written meanwhile is left as it is.
    When it returns 0, and no process has the older key as its newest, remove that key. Raises
    `ConfigurationError` for a `Database` without keys, and `KeyMissing`.
    """
    if not hasattr(db, "engine"):
        msg = f"rotate() takes a Database first, not {type(db).__name__}"
        raise TypeError(msg)
    keys = keys_of(db.engine.dialect)
    if keys is None:
        msg = "This Database has no keys: Database(url, encryption=Keys(newest, older))"
        raise ConfigurationError(msg)
    rows = sum([await _rotate_table(db, table, keys) for table in db.models.tables])
    return rows + await _rotate_files(db, keys)


async def _rotate_files(db: AnyDatabase, keys: Keys) -> int:
    files, changed, after = db.store.attachments, 0, UUID(int=0)
    again = partial(with_retries, patience=db.store.patience)
    while True:
        page = await again(partial(files.page, after, BATCH))
        for row in page:
            changed += await again(partial(files.reencrypt, row, keys))
        if len(page) < BATCH:
            return changed
        after = page[-1]["id"]


async def _rotate_table(db: AnyDatabase, table: Table, keys: Keys) -> int:
    if not private_columns(table):
        return 0
    changed, last = 0, None
    while True:
        rows, stale = await with_retries(
            partial(_rotate_page, db, table, keys, last), db.store.patience
        )
        changed += stale
        if len(rows) < BATCH:
            return changed
        last = [rows[-1][column.key] for column in table.primary_key.columns]


async def _rotate_page(
    db: AnyDatabase, table: Table, keys: Keys, last: Sequence[object] | None
) -> tuple[Sequence[Row], int]:
    """The rows after the last one, and how many of them had to be written."""
    async with db.store.long_transaction() as connection:
        page = stored_values(table, connection.dialect, last, BATCH)
        rows = (await connection.execute(page)).mappings().all()
        return rows, sum([await _rotate_row(connection, table, row, keys) for row in rows])


async def _rotate_row(connection: AsyncConnection, table: Table, row: Row, keys: Keys) -> bool:
    key = {f"key_{column.key}": row[column.key] for column in table.primary_key.columns}
    stale = _stale(private_columns(table), row, keys)
    for column in stale:
        old = row[f"raw_{column.key}"]
        values = {**key, "old": old, "new": _reencrypted(column, old, connection, keys)}
        await connection.execute(write_back(table, column, connection.dialect), values)
    return bool(stale)


def _stale(columns: Sequence[TableColumn], row: Row, keys: Keys) -> list[TableColumn]:
    stored = [(column, row[f"raw_{column.key}"]) for column in columns]
    return [
        column
        for column, raw in stored
        if raw is not None and not keys.has_newest(_sealed_in(column, raw))
    ]


def _sealed_in(column: TableColumn, raw: str) -> str:
    """What may be sealed in a stored value: a JSON column holds it as a JSON text."""
    if not isinstance(column.type, PrivateJson):
        return raw
    held = json.loads(raw) if raw.startswith('"') else ""
    return str(held)


def _reencrypted(column: TableColumn, raw: str, connection: AsyncConnection, keys: Keys) -> str:
    inside = _sealed_in(column, raw)
    plain = opened(inside, connection.dialect)
    if not isinstance(column.type, PrivateJson):
        return keys.seal(plain)
    return json.dumps(keys.seal(raw if plain == inside else plain))
