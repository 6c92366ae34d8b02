"""The tables of earlier versions, as those versions created them, with the chats they stored.

`schemas/` has the statements of each revision for each database, and the rows of some chats: with
tool calls, failed requests, a deleted chat, and an answer whose process was killed. They were
written by the code of that time.
"""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import Table, Uuid, insert, text
from sqlalchemy.ext.asyncio import AsyncEngine

from chatrecord.sqlalchemy.tables import Base
from chatrecord.sqlalchemy.types import Bytes, Money, UtcDateTime

SCHEMAS = Path(__file__).parent / "schemas"
EARLIER = sorted(path.stem for path in SCHEMAS.glob("*.json"))

Rows = dict[str, list[dict[str, Any]]]
_READ: dict[type, Callable[[str], object]] = {
    Uuid: UUID,
    UtcDateTime: datetime.fromisoformat,
    Money: Decimal,
    Bytes: b64decode,
}


async def create_earlier(engine: AsyncEngine, revision: str) -> None:
    """The tables of this revision, and no others."""
    name = {"mysql": "mariadb"}.get(engine.dialect.name, engine.dialect.name)
    statements = (SCHEMAS / f"{revision}.{name}.sql").read_text().split(";\n")
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.drop_all)
        await connection.execute(text("DROP TABLE IF EXISTS llm_alembic_version"))
        for statement in filter(str.strip, statements):
            await connection.execute(text(statement))


async def fill_earlier(engine: AsyncEngine, revision: str) -> Rows:
    """Store the chats of that time. Returns their rows."""
    rows: Rows = json.loads((SCHEMAS / f"{revision}.json").read_text())
    async with engine.begin() as connection:
        for name, of_table in rows.items():
            table = Base.metadata.tables[name]
            for row in of_table:
                await connection.execute(insert(table).values(_values(table, row)))
    return rows


def _values(table: Table, row: dict[str, Any]) -> dict[str, object]:
    return {
        name: _READ.get(type(table.c[name].type), lambda value: value)(value)
        for name, value in row.items()
    }
