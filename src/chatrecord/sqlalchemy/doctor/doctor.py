"""A look at a whole database: which rows break a rule, and what of it can be mended."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Protocol

from chatrecord.sqlalchemy.generics import Values
from chatrecord.sqlalchemy.models.mixins import Models
from chatrecord.sqlalchemy.sql.invariants import Invariant, Invariants
from chatrecord.sqlalchemy.sql.statements import Statements
from chatrecord.sqlalchemy.store.store import SqlStore

from .contents import ContentCheck
from .findings import Finding
from .mending import Mending

BATCH = 500
"""Findings that are read at a time."""


class Patient(Protocol):
    """The database that is looked at."""

    models: Models
    store: SqlStore

    async def repair(self) -> int:
        """End every run whose process has died."""


class Doctor:
    """Looks at one database, and mends it if it is asked to."""

    def __init__(self, patient: Patient) -> None:
        self._patient = patient
        self._store = patient.store
        self._sql = Statements(patient.models)

    async def look(self, *, repair: bool) -> list[Finding]:
        """All findings; with `repair` those that were mended, too."""
        found = [finding async for finding in self._findings()]
        if not found or not repair:
            return found
        await self._mend(found)
        left = {finding.place: finding async for finding in self._findings()}
        mended = [replace(it, mended=True) for it in found if it.place not in left]
        return [*mended, *left.values()]

    async def _findings(self) -> AsyncIterator[Finding]:
        for rule in Invariants(self._sql, datetime.now(UTC)).all():
            async for finding in self._broken(rule):
                yield finding
        async for finding in ContentCheck(self._sql, self._store).findings():
            yield finding

    async def _broken(self, rule: Invariant) -> AsyncIterator[Finding]:
        page = await self._page(rule, {})
        while page:
            for row in page:
                yield _finding(rule, row)
            after = {"after": page[-1]["row_id"]}
            page = await self._page(rule, after) if len(page) == BATCH else []

    async def _page(self, rule: Invariant, after: Values) -> Sequence[Any]:
        statement = rule.page(after_key=bool(after))
        async with self._store.long_transaction() as connection:
            found = await connection.execute(statement, {**after, "limit": BATCH})
            return list(found.mappings())

    async def _mend(self, found: Sequence[Finding]) -> None:
        rules = Invariants(self._sql, datetime.now(UTC))
        mending = Mending(self._sql, self._store, rules)
        for finding in found:
            await mending.mend(finding)
        await self._patient.repair()


def _finding(rule: Invariant, row: Any) -> Finding:
    shown = ", ".join(f"{name}={_told(row[f'shown_{name}'])}" for name in rule.shows)
    table = rule.rows.table.name
    return Finding(rule.says, table, row["row_id"], row["chat_id"], shown or rule.otherwise)


def _told(value: object) -> str:
    return "NULL" if value is None else str(value)
