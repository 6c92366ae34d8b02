"""The queue of those that wait for a chat, in a process or for a worker."""

from __future__ import annotations

from functools import cached_property, lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Delete,
    Integer,
    Update,
    and_,
    bindparam,
    delete,
    exists,
    func,
    or_,
    select,
    update,
)

from chatrecord.sqlalchemy.generics import Query
from chatrecord.store.chat_store import Scope

from .chats import ChatStatements
from .clock import by_database_clock
from .rare import is_rare, is_set


class RunQueueStatements(ChatStatements):
    """The queue of those that wait for a chat, in a process or for a worker."""

    def _of_chat(self) -> ColumnElement[bool]:
        return self.run.chat_id == bindparam("of_chat", type_=self.run.chat_id.type)

    @cached_property
    def first_queued(self) -> Query:
        """The run that has waited longest for a chat, and still does."""
        alive = self.run.lease_until >= by_database_clock(bindparam("now"))
        is_waiting = and_(self.run.status == "waiting", alive)
        waits = or_(self.run.status == "queued", is_waiting)
        ids = select(self.run.id).where(self._of_chat(), waits)
        return ids.order_by(self.run.id).limit(1)

    @cached_property
    def last_queued(self) -> Query:
        """The run that is last in the queue of a chat."""
        waits = or_(self.run.status == "queued", self.run.status == "waiting")
        ids = select(self.run.id).where(self._of_chat(), waits)
        return ids.order_by(self.run.id.desc()).limit(1)

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
    def forget_question(self) -> Delete:
        """A question that was lost with its process is asked again."""
        mine = self.run.id == bindparam("row_id")
        has_ended = self.run.status == "interrupted"
        return delete(self.run.table).where(mine, has_ended, self.run.active_chat_id.is_(None))

    @cached_property
    def end_queued(self) -> Update:
        """A run ends that has not begun."""
        has_not_begun = [
            self.run.id == bindparam("row_id"),
            self.run.status == bindparam("of_status"),
            self.run.epoch == bindparam("of_epoch", type_=Integer),
            self.run.lease_until == bindparam("of_lease", type_=self.run.lease_until.type),
            self.run.active_chat_id.is_(None),
        ]
        ended: dict[Any, Any] = {
            self.run.status: "interrupted",
            self.run.error: bindparam("new_error", type_=self.run.error.type),
            self.run.finished_at: bindparam("new_finished_at", type_=self.run.finished_at.type),
        }
        return update(self.run.table).where(*has_not_begun).values(ended)

    @cached_property
    def expired_entries(self) -> Query:
        """Those of a chat that have waited without a sign of life."""
        has_expired = self.run.lease_until < by_database_clock(bindparam("now"))
        gone = and_(self.run.status == "waiting", has_expired)
        return self.run.select().where(self._of_chat(), gone)

    @lru_cache(maxsize=4)  # noqa: B019 - lives as long as its database
    def begin_queued(self, *names: str) -> Update:
        """A queued run begins, unless another process was faster."""
        as_it_was = [
            self.run.id == bindparam("row_id"),
            self.run.status == bindparam("of_status"),
            self.run.epoch == bindparam("of_epoch", type_=Integer),
        ]
        values: dict[Any, Any] = {
            self.run.columns[name]: self.new_run.parameter(name, f"new_{name}") for name in names
        }
        return update(self.run.table).where(*as_it_was).values(values)

    @cached_property
    def lock_run(self) -> Query:
        """The run that holds a chat, locked where the database locks rows."""
        held = self.run.active_chat_id == bindparam("of_chat", type_=self.run.chat_id.type)
        return select(self.run.id).where(held).with_for_update()

    @cached_property
    def requeue_run(self) -> Update:
        """A parked run waits for a worker, where no call of it is left to be decided."""
        parked = [self.run.id == bindparam("row_id"), self.run.status == "parked"]
        calls = self.tool_call
        if calls is not None:
            its = calls.run_id == bindparam("row_id")
            parked.append(~exists().where(its, calls.status == "awaiting_approval"))
        return update(self.run.table).where(*parked).values({self.run.status: "queued"})

    @cached_property
    def find_run(self) -> Query:
        """A run of any chat."""
        return self.run.select().where(self.run.id == bindparam("run_id"))

    def list_runs(self, scope: Scope, *, by_status: bool, of_chat: bool, after_key: bool) -> Query:
        """Runs of chats within the scope, newest first."""
        page = self.run.select().where(*self._listed(scope, by_status=by_status, of_chat=of_chat))
        if after_key:
            page = page.where(self.run.id < bindparam("before", type_=self.run.id.type))
        return page.order_by(self.run.id.desc()).limit(bindparam("limit", type_=Integer))

    def count_runs(self, scope: Scope, *, by_status: bool, of_chat: bool) -> Query:
        """How many there are."""
        counted = select(func.count().label("number")).select_from(self.run.table)
        return counted.where(*self._listed(scope, by_status=by_status, of_chat=of_chat))

    def _listed(self, scope: Scope, *, by_status: bool, of_chat: bool) -> list[ColumnElement[bool]]:
        conditions: list[ColumnElement[bool]] = []
        if of_chat:
            conditions.append(self._of_chat())
        if by_status:
            status = bindparam("status", type_=self.run.status.type)
            conditions.append(self.run.status.between(status, status))  # see `is_rare`
        if not of_chat:
            chats = select(self.chat.id).where(*self.within(scope), *self.kept())
            conditions.append(self.run.chat_id.in_(chats))
        return conditions

    @cached_property
    def pending_runs(self) -> Query:
        """The queue of a chat, oldest first."""
        waits = or_(self.run.status == "queued", self.run.status == "waiting")
        page = self.run.select().where(self._of_chat(), waits).order_by(self.run.id)
        return page.limit(bindparam("limit", type_=Integer))

    @cached_property
    def ready_runs(self) -> Query:
        """Queued runs that no other run of their chat is ahead of, oldest first."""
        other = self.run.table.alias("other")
        columns = {name: other.c[str(column.key)] for name, column in self.run.columns.items()}
        is_held = exists().where(columns["active_chat_id"] == self.run.chat_id)
        is_earlier = [
            columns["chat_id"] == self.run.chat_id,
            columns["status"] == "queued",
            columns["id"] < self.run.id,
        ]
        is_next = and_(~is_held, ~exists().where(*is_earlier))
        ready = or_(is_set(self.run.active_chat_id), is_next)
        is_kept = exists().where(self.chat.id == self.run.chat_id, *self.kept())
        page = self.run.select().where(is_rare(self.run.status, "queued"), ready, is_kept)
        if hidden := self.kept(hidden=True):
            page = page.where(~exists().where(self.chat.id == self.run.chat_id, *hidden))
        return page.order_by(self.run.id).limit(bindparam("limit", type_=Integer))
