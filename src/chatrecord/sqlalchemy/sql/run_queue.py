"""The queue of those that wait for a chat."""

from __future__ import annotations

from functools import cached_property

from sqlalchemy import (
    ColumnElement,
    Delete,
    Update,
    bindparam,
    delete,
    select,
    update,
)

from chatrecord.sqlalchemy.generics import Query

from .clock import by_database_clock
from .tables import Tables


class RunQueueStatements(Tables):
    """The queue of those that wait for a chat."""

    def _waiting(self) -> list[ColumnElement[bool]]:
        of_chat = self.run.chat_id == bindparam("of_chat", type_=self.run.chat_id.type)
        return [of_chat, self.run.status == "waiting"]

    @cached_property
    def first_queued(self) -> Query:
        """The run that has waited longest for a chat, and still does."""
        alive = self.run.lease_until >= by_database_clock(bindparam("now"))
        ids = select(self.run.id).where(*self._waiting(), alive)
        return ids.order_by(self.run.id).limit(1)

    @cached_property
    def renew_queue_entry(self) -> Update:
        """A run still waits."""
        return (
            update(self.run.table)
            .where(self.run.id == bindparam("row_id"), self.run.status == "waiting")
            .values({self.run.lease_until: by_database_clock(bindparam("new_lease_until"))})
        )

    @cached_property
    def dequeue_run(self) -> Delete:
        """A run waits no more."""
        mine = self.run.id == bindparam("row_id")
        return delete(self.run.table).where(mine, self.run.status == "waiting")

    @cached_property
    def clear_queue(self) -> Delete:
        """Those of a chat that have waited without a sign of life."""
        gone = self.run.lease_until < by_database_clock(bindparam("now"))
        return delete(self.run.table).where(*self._waiting(), gone)
