"""The SQL of feedback: one row for each message and owner, listed and added up."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import cached_property

from sqlalchemy import (
    ColumnElement,
    Delete,
    Dialect,
    Integer,
    bindparam,
    case,
    delete,
    false,
    func,
    or_,
    select,
)

from chatrecord.sqlalchemy.generics import Expression, Query
from chatrecord.sqlalchemy.store.rows import own_columns
from chatrecord.store.feedback_store import FeedbackFilter

from .exact import equals, exact
from .periods import PERIODS, period
from .statements import Statements
from .tables import MappedTable

_OF_FEEDBACK = ("owner", "chat_id", "run_id")
_OF_MESSAGES = ("model", "provider")
_OF_CHATS = ("agent",)


class FeedbackStatements:
    """The statements for the feedback of one set of models."""

    def __init__(self, sql: Statements, feedback: MappedTable) -> None:
        self._sql = sql
        self.feedback = feedback

    @cached_property
    def found(self) -> Query:
        """What an owner has said of a message, locked where the database locks rows."""
        return (
            select(self.feedback.id, self.feedback.created_at).where(*self._this).with_for_update()
        )

    @cached_property
    def delete(self) -> Delete:
        """What an owner has said of a message."""
        return delete(self.feedback.table).where(*self._this)

    def of_chat(self, *, of_runs: bool, outside_runs: bool = False) -> Query:
        """All of a chat, or of some runs, and of messages that no run has written, oldest first."""
        rows = self.feedback.select().where(self.feedback.chat_id == bindparam("chat_id"))
        if of_runs:
            ids = bindparam("run_ids", expanding=True, type_=self.feedback.run_id.type)
            no_run = self.feedback.run_id.is_(None) if outside_runs else false()
            rows = rows.where(or_(self.feedback.run_id.in_(ids), no_run))
        return rows.order_by(self.feedback.created_at, self.feedback.id)

    def page(self, wanted: FeedbackFilter, *, after_key: bool) -> Query:
        """A page of what is wanted, by keyset, the newest first."""
        feedback = self.feedback
        rows = feedback.select().where(*self._wanted(wanted), *self._sql.kept())
        rows = rows.join_from(feedback.table, self._sql.chat.table, self._of_chat)
        if after_key:
            moment = bindparam("created_at", type_=feedback.created_at.type)
            earlier = feedback.id < bindparam("id", type_=feedback.id.type)
            # Not as a comparison of pairs: MariaDB reads the whole index for one.
            rows = rows.where(
                feedback.created_at <= moment, or_(feedback.created_at < moment, earlier)
            )
        newest_first = feedback.created_at.desc(), feedback.id.desc()
        return rows.order_by(*newest_first).limit(bindparam("limit", type_=Integer))

    def report(
        self,
        by: Sequence[str],
        wanted: FeedbackFilter,
        dialect: Dialect,
        among: Collection[object] | None = None,
    ) -> Query:
        """Groups of what is wanted, in their order."""
        value = self.feedback.value
        keys = [self._key(name, dialect).label(f"by_{name}") for name in by]
        rows = select(*keys, value.label("value")).where(*self._wanted(wanted))
        if among is not None:
            first = self._column(by[0])
            rows = rows.where(or_(false(), *(equals(first, one) for one in among)))
        source = self.feedback.table.join(self._sql.chat.table, self._of_chat)
        if any(name in _OF_MESSAGES for name in by):
            of_message = self._sql.message.id == self.feedback.message_id
            source = source.outerjoin(self._sql.message.table, of_message)
        found = rows.select_from(source).subquery("rows").c
        groups = [found[f"by_{name}"] for name in by]
        return (
            select(
                *groups,
                func.count().label("count"),
                func.sum(case((found.value > 0, 1), else_=0)).label("positive"),
                func.sum(case((found.value < 0, 1), else_=0)).label("negative"),
                func.avg(found.value).label("mean"),
            )
            .group_by(*groups)
            .order_by(*groups)
        )

    def _key(self, name: str, dialect: Dialect) -> Expression:
        if name in PERIODS:
            return period(self.feedback.created_at, name, dialect)
        return exact(self._column(name))

    def _column(self, name: str) -> Expression:
        own = own_columns(list(self._sql.chat.columns))
        if name in _OF_FEEDBACK:
            return self.feedback.columns[name]
        if name in _OF_MESSAGES:
            return self._sql.message.columns[name]
        if name in own or name in _OF_CHATS:
            return self._sql.chat.columns[name]
        known = ", ".join((*PERIODS, *_OF_FEEDBACK, *_OF_MESSAGES, *_OF_CHATS, *own))
        msg = f"by= knows no {name!r}. There are: {known}"
        raise ValueError(msg)

    def _wanted(self, wanted: FeedbackFilter) -> list[ColumnElement[bool]]:
        feedback, moment = self.feedback, self.feedback.created_at
        conditions = self._sql.within(wanted.scope)
        if wanted.rating is not None:
            conditions.append(
                feedback.value > 0 if wanted.rating == "positive" else feedback.value < 0
            )
        if wanted.since is not None:
            conditions.append(moment >= wanted.since)
        if wanted.until is not None:
            conditions.append(moment < wanted.until)
        return conditions

    @property
    def _of_chat(self) -> ColumnElement[bool]:
        return self._sql.chat.id == self.feedback.chat_id

    @property
    def _this(self) -> list[ColumnElement[bool]]:
        feedback = self.feedback
        return [
            feedback.chat_id == bindparam("of_chat"),
            feedback.message_id == bindparam("of_message"),
            feedback.owner == bindparam("of_owner"),
        ]
