"""`chatrecord doctor`: find rows that break an invariant, and repair them on request."""

from __future__ import annotations

import asyncio
from argparse import Namespace
from collections.abc import Sequence

from chatrecord.errors import SchemaDifference, SchemaError
from chatrecord.sqlalchemy.doctor.findings import Finding

from .check import MIGRATE, differences_of
from .database import untouched_database
from .plain_text import plain
from .screen import Screen


def run(arguments: Namespace) -> int:
    """Print what is found, a line each; 1 where something of it is left."""
    differences, found = asyncio.run(_found(arguments.db, repair=arguments.repair))
    for difference in differences:
        print(plain(str(difference)))
    for finding in found:
        print(_line(finding))
    left = [finding for finding in found if not finding.repaired]
    if differences:
        Screen().note(MIGRATE)
    if found or not differences:
        Screen().note(_summary(found, left, repaired=arguments.repair))
    return 1 if left or differences else 0


async def _found(
    place: str, *, repair: bool
) -> tuple[Sequence[SchemaDifference], Sequence[Finding]]:
    async with untouched_database(place) as db:
        differences = await differences_of(db)
        try:
            return differences, await db.doctor(repair=repair)
        except SchemaError:
            if not differences:
                raise
            return differences, []


def _line(finding: Finding) -> str:
    row = f"{finding.table} {finding.row_id}"
    chat = "" if finding.chat_id is None else f" of chat {finding.chat_id}"
    prefix = "repaired: " if finding.repaired else ""
    return plain(f"{prefix}{row}{chat}: {finding.invariant} ({finding.what})")


def _summary(found: Sequence[Finding], left: Sequence[Finding], *, repaired: bool) -> str:
    if not found:
        return "Nothing was found"
    if not repaired:
        return f"{_rows(len(found))} found; --repair corrects what can be corrected"
    count = len(found) - len(left)
    return f"{_rows(count)} repaired, {len(left)} left" if left else f"{_rows(count)} repaired"


def _rows(number: int) -> str:
    return "1 thing was" if number == 1 else f"{number:,} things were"
