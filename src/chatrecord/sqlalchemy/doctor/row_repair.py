"""Repairs that invent no data, a row at a time, each in its own transaction."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from importlib import import_module
from typing import Any
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from chatrecord.errors import DatabaseFailed
from chatrecord.records import Message, ToolCall
from chatrecord.runs.repair import folded
from chatrecord.runs.row_changes import ended_call, pending_call, whole_message
from chatrecord.runs.tool_answers import calls_of, calls_without_result
from chatrecord.sqlalchemy.generics import Row, Values
from chatrecord.sqlalchemy.sql.invariants import Invariant, Invariants
from chatrecord.sqlalchemy.sql.statements import Statements
from chatrecord.sqlalchemy.store.rows import entry_of, message_of, run_of, tool_call_of
from chatrecord.sqlalchemy.store.run_writes import insert_rows
from chatrecord.sqlalchemy.store.store import SqlStore
from chatrecord.store.changes import JournalEntry

from .contents import ONE_RESULT, calls_in
from .findings import Finding


class RowRepair:
    """Repairs findings where that is possible, and leaves the others as they are."""

    def __init__(self, sql: Statements, store: SqlStore, rules: Invariants) -> None:
        self._sql = sql
        self._store = store
        self._rules = rules
        self._updates: dict[tuple[str, str], Invariant] = {
            (rule.says, rule.rows.table.name): rule for rule in rules.all() if rule.values
        }
        self._ways: dict[str, Callable[[AsyncConnection, Finding], Awaitable[None]]] = {
            rules.streaming.says: self._fold,
            rules.journal.says: self._empty_journal,
            ONE_RESULT: self._answer,
        }

    async def repair(self, finding: Finding) -> None:
        """Repair one row, if there is a way and no other row conflicts with it."""
        rule = self._updates.get((finding.invariant, finding.table))
        way = self._ways.get(finding.invariant)
        try:
            async with self._store.transaction() as connection:
                if rule is not None:
                    await connection.execute(rule.repair, {"row_id": finding.row_id})
                elif way is not None:
                    await way(connection, finding)
        except DatabaseFailed as error:
            if not isinstance(error.__cause__, IntegrityError):
                raise  # otherwise another row is where this one would be: it is found again

    async def _fold(self, connection: AsyncConnection, finding: Finding) -> None:
        """End a message with what the journal has of it."""
        row = await self._message(connection, finding)
        if row is None:
            return
        ended = folded(message_of(row), await self._journal(connection, row["id"]))
        names = ("status", "text", "reasoning", "finished_at")
        new = {f"new_{name}": getattr(ended, name) for name in names}
        update = self._sql.message.update(*names).where(self._rules.streaming.broken)
        if (await connection.execute(update, {"row_id": row["id"], **new})).rowcount:
            await connection.execute(self._sql.empty_journal, {"of_message": row["id"]})

    async def _empty_journal(self, connection: AsyncConnection, finding: Finding) -> None:
        """Delete the pieces of a message that says all that they say."""
        row = await self._message(connection, finding)
        if row is None or row["status"] == "streaming":
            return
        message = message_of(row)
        said = folded(message, await self._journal(connection, message.id))
        has_all = message.text.startswith(said.text)
        if has_all and (message.reasoning or "").startswith(said.reasoning or ""):
            await connection.execute(self._sql.empty_journal, {"of_message": message.id})

    async def _answer(self, connection: AsyncConnection, finding: Finding) -> None:
        """Give the calls of a chat's last answer their results, as a repair does."""
        assert finding.chat_id is not None
        of_chat = {"chat_id": finding.chat_id}
        # Locked, if the database locks rows: no run starts meanwhile.
        numbers = await connection.execute(self._sql.next_seq.with_for_update(), of_chat)
        seq = numbers.scalar()
        rows = await _rows(connection, self._sql.messages_of_chat, of_chat)
        standing = [row for row in rows if row["status"] != "superseded"]
        place = next(n for n, row in enumerate(standing) if row["id"] == finding.row_id)
        after = standing[place + 1 :]
        is_held = await _rows(connection, self._sql.active, of_chat)
        if seq is None or is_held or any(row["role"] != "tool" for row in after):
            return
        answer = message_of(standing[place])
        calls = calls_without_result(
            answer, [message_of(row) for row in after], await self._calls(connection, answer)
        )
        runs = await _rows(connection, self._sql.get_run, {**of_chat, "run_id": answer.run_id})
        if not calls or not runs:
            return
        body = import_module("chatrecord.pydantic_ai").answers(calls)
        await insert_rows(
            connection, self._sql.message, [whole_message(run_of(runs[0]), seq, body)]
        )
        following = {"row_id": finding.chat_id, "new_next_seq": seq + 1}
        await connection.execute(self._sql.set_next_seq, following)

    async def _calls(self, connection: AsyncConnection, answer: Message) -> list[ToolCall]:
        """The calls of an answer, from their rows or, without those, from its content."""
        if self._sql.tool_call is not None and answer.run_id is not None:
            of_run = {"chat_id": answer.chat_id, "run_id": answer.run_id}
            rows = await _rows(connection, self._sql.of_run(self._sql.tool_call), of_run)
            known = calls_of(answer, [tool_call_of(row) for row in rows])
            asked = {call.call_id for call in calls_in(answer.content)}
            return [call for call in known if call.call_id in asked]
        calls = [pending_call(call, answer) for call in calls_in(answer.content)]
        return [ended_call(call, "interrupted", None, None) for call in calls]

    async def _message(self, connection: AsyncConnection, finding: Finding) -> Row | None:
        this = {"message_id": finding.row_id, "chat_id": finding.chat_id}
        rows = await _rows(connection, self._sql.get_message, this)
        return rows[0] if rows else None

    async def _journal(self, connection: AsyncConnection, message_id: UUID) -> list[JournalEntry]:
        pieces = {"message_id": message_id, "after": -1}
        return [entry_of(row) for row in await _rows(connection, self._sql.journal, pieces)]


async def _rows(connection: AsyncConnection, statement: Any, parameters: Values) -> list[Row]:
    found = await connection.execute(statement, parameters)
    return [dict(row) for row in found.mappings()]
