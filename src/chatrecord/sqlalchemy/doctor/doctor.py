"""Checks a whole database: which rows break an invariant, and which of them can be repaired."""

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
from .row_repair import RowRepair

BATCH = 500
"""Findings that are read at a time."""


class Patient(Protocol):
    """The database that is checked."""

    models: Models
    store: SqlStore

    async def repair(self) -> int:
        """End every run whose process has died."""


class Doctor:
    """Checks one database, and repairs it on request."""

    def __init__(self, patient: Patient) -> None:
        self._patient = patient
        self._store = patient.store
        self._sql = Statements(patient.models)

    async def look(self, *, repair: bool) -> list[Finding]:
        """Return all findings; with `repair`, also those that were repaired."""
        found = [finding async for finding in self._findings()]
        if not found or not repair:
            return found
        await self._repair(found)
        left = {finding.place: finding async for finding in self._findings()}
        repaired = [replace(it, repaired=True) for it in found if it.place not in left]
        return [*repaired, *left.values()]

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

    async def _repair(self, found: Sequence[Finding]) -> None:
        rules = Invariants(self._sql, datetime.now(UTC))
        repairs = RowRepair(self._sql, self._store, rules)
        for finding in found:
            await repairs.repair(finding)
        await self._patient.repair()


def _finding(rule: Invariant, row: Any) -> Finding:
    shown = ", ".join(f"{name}={_shown(row[f'shown_{name}'])}" for name in rule.shows)
    table = rule.rows.table.name
    return Finding(rule.says, table, row["row_id"], row["chat_id"], shown or rule.otherwise)


def _shown(value: object) -> str:
    return "NULL" if value is None else str(value)
