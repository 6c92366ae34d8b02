"""Feedback: put, listed, and added up."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cached_property
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from chatrecord.errors import DatabaseFailed
from chatrecord.feedback import Feedback, FeedbackRow
from chatrecord.sqlalchemy.engine.connections import Connections
from chatrecord.sqlalchemy.generics import Row
from chatrecord.sqlalchemy.sql.feedback import FeedbackStatements
from chatrecord.sqlalchemy.sql.periods import PERIODS
from chatrecord.sqlalchemy.sql.tables import kept
from chatrecord.store.feedback_store import FeedbackFilter

from .rows import feedback_of, values_of


class StoredFeedback(Connections):
    """What `chatrecord.store` says of feedback."""

    @cached_property
    def _feedback(self) -> FeedbackStatements:
        table = kept(self._sql.feedback, "Ratings", "feedback")
        return FeedbackStatements(self._sql, table)

    @property
    def keeps_feedback(self) -> bool:
        return self._sql.feedback is not None

    async def put_feedback(self, feedback: Feedback) -> Feedback:
        async def once() -> Feedback:
            try:
                return await self._put_feedback(feedback)
            except DatabaseFailed as error:
                if isinstance(error.__cause__, IntegrityError):  # another request was faster
                    return await self._put_feedback(feedback)
                raise

        return await self._retried(once)

    async def _put_feedback(self, feedback: Feedback) -> Feedback:
        this = _key(feedback.chat_id, feedback.message_id, feedback.owner)
        async with self.transaction() as connection:
            found = (await connection.execute(self._feedback.found, this)).mappings().first()
            if found is not None:
                feedback = replace(feedback, id=found["id"], created_at=found["created_at"])
                changed = {
                    "row_id": feedback.id,
                    "new_value": feedback.value,
                    "new_comment": feedback.comment,
                    "new_updated_at": feedback.updated_at,
                }
                update = self._feedback.feedback.update("value", "comment", "updated_at")
                await connection.execute(update, changed)
            else:
                values = values_of(feedback)
                await connection.execute(self._feedback.feedback.insert(*values), values)
        return feedback

    async def delete_feedback(self, chat_id: UUID, message_id: UUID, owner: str) -> bool:
        this = _key(chat_id, message_id, owner)
        return bool(await self._retried(lambda: self._changed(self._feedback.delete, this)))

    async def feedback_of_chat(
        self, chat_id: UUID, run_ids: Collection[UUID | None] | None = None
    ) -> list[Feedback]:
        if self._sql.feedback is None or (run_ids is not None and not run_ids):
            return []
        if run_ids is None:
            rows = await self._read(self._feedback.of_chat(of_runs=False), chat_id=chat_id)
        else:
            statement = self._feedback.of_chat(of_runs=True, outside_runs=None in run_ids)
            ids = [run_id for run_id in run_ids if run_id is not None]
            rows = await self._read(statement, chat_id=chat_id, run_ids=ids)
        return [feedback_of(row) for row in rows]

    async def list_feedback(
        self, wanted: FeedbackFilter, *, limit: int, before: tuple[datetime, UUID] | None
    ) -> list[Feedback]:
        statement = self._feedback.page(wanted, after_key=before is not None)
        key = {} if before is None else {"created_at": before[0], "id": before[1]}
        return [feedback_of(row) for row in await self._read(statement, limit=limit, **key)]

    async def feedback_report(
        self,
        by: Sequence[str],
        wanted: FeedbackFilter,
        *,
        among: Collection[object] | None = None,
    ) -> list[FeedbackRow]:
        statement = self._feedback.report(by, wanted, self._engine.dialect, among)
        return [_row_of(row, by) for row in await self._read(statement) if row["count"]]


def _key(chat_id: UUID, message_id: UUID, owner: str) -> dict[str, object]:
    return {"of_chat": chat_id, "of_message": message_id, "of_owner": owner}


def _row_of(row: Row, by: Sequence[str]) -> FeedbackRow:
    groups = {name: row[f"by_{name}"] for name in by}
    return FeedbackRow(
        by={name: PERIODS[name][2](it) if name in PERIODS else it for name, it in groups.items()},
        count=int(row["count"]),
        positive=int(row["positive"]),
        negative=int(row["negative"]),
        mean=float(row["mean"]),
    )
