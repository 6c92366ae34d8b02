"""`chatrecord check`: compare the tables with what this version needs."""

from __future__ import annotations

import asyncio
from argparse import Namespace
from collections.abc import Sequence

from chatrecord.errors import SchemaDifference, SchemaError

from .database import Chats, untouched_database
from .plain_text import note, plain

MIGRATE = "The tables differ from what this version needs: run `chatrecord migrate`"


def run(arguments: Namespace) -> int:
    """Print each difference on a line; 1 where there are any."""
    differences = asyncio.run(_differences(arguments.db))
    for difference in differences:
        print(plain(str(difference)))
    note(MIGRATE if differences else "The tables are as this version needs them")
    return 1 if differences else 0


async def _differences(place: str) -> Sequence[SchemaDifference]:
    async with untouched_database(place) as db:
        return await differences_of(db)


async def differences_of(db: Chats) -> Sequence[SchemaDifference]:
    """What has to change in the tables. Those that an application leaves out may be missing."""
    try:
        await db.check()
    except SchemaError as error:
        missing = {each.table for each in error.differences if each.column is None}
        left_out = set() if "llm_chats" in missing else _left_out(missing)
        return [each for each in error.differences if each.table not in left_out]
    return ()


def _left_out(missing: set[str]) -> set[str]:
    without_requests = {"llm_requests", "llm_usage_days"}
    if without_requests <= missing:
        return missing & {"llm_tool_calls", *without_requests}
    return missing & {"llm_tool_calls"}
