"""Runs: finding, taking over, resuming and stopping them."""

from __future__ import annotations

from functools import cached_property

from sqlalchemy import (
    Integer,
    Update,
    and_,
    bindparam,
    select,
    update,
)

from chatrecord.sqlalchemy.generics import Query

from .clock import by_database_clock
from .rare import is_rare, is_set
from .tables import Tables


class RunStatements(Tables):
    """Runs: finding, taking over, resuming and stopping them."""

    @cached_property
    def run_of_key(self) -> Query:
        """The run that was sent with this idempotency key."""
        return self.run.select().where(
            self.run.chat_id == bindparam("chat_id"),
            self.run.idempotency_key == bindparam("key"),
        )

    @cached_property
    def active(self) -> Query:
        """The run that holds a chat."""
        return self.run.select().where(self.run.active_chat_id == bindparam("chat_id"))

    def expired(self, *, of_chats: bool) -> Query:
        """Active runs whose lease has expired, oldest first."""
        ids = bindparam("chat_ids", expanding=True, type_=self.run.id.type)
        chat_id = self.run.active_chat_id
        held = chat_id.in_(ids) if of_chats else is_set(chat_id)
        expired = self.run.lease_until < by_database_clock(bindparam("now"))
        page = self.run.select().where(held, expired).order_by(self.run.id)
        return page.limit(bindparam("limit", type_=Integer))

    @cached_property
    def expired_queued(self) -> Query:
        """Runs that are queued although their process has died."""
        expired = self.run.lease_until < by_database_clock(bindparam("now"))
        page = self.run.select().where(is_rare(self.run.status, "waiting"), expired)
        return page.limit(bindparam("limit", type_=Integer))

    @cached_property
    def claim(self) -> Update:
        """Take over a run whose lease has expired, unless another process was faster."""
        return (
            update(self.run.table)
            .where(
                self.run.id == bindparam("row_id"),
                self.run.epoch == bindparam("of_epoch", type_=Integer),
                self.run.active_chat_id.is_not(None),
                self.run.lease_until < by_database_clock(bindparam("now")),
            )
            .values(
                {
                    self.run.owner: bindparam("new_owner"),
                    self.run.epoch: self.run.epoch + 1,
                    self.run.lease_until: by_database_clock(bindparam("new_lease_until")),
                }
            )
        )

    @cached_property
    def reopen(self) -> Update:
        """Resume a run, unless another process was faster."""
        return (
            update(self.run.table)
            .where(
                self.run.id == bindparam("row_id"),
                self.run.epoch == bindparam("of_epoch", type_=Integer),
                self.run.status == bindparam("of_status"),
            )
            .values(
                {
                    self.run.status: "running",
                    self.run.active_chat_id: self.run.chat_id,
                    self.run.owner: bindparam("new_owner"),
                    self.run.epoch: self.run.epoch + 1,
                    self.run.lease_until: by_database_clock(bindparam("new_lease_until")),
                    self.run.stop_requested: False,
                    self.run.error: None,
                    self.run.finished_at: None,
                }
            )
        )

    @cached_property
    def decide(self) -> Update | None:
        """Approve or deny a tool call that waits for it."""
        calls = self.tool_call
        if calls is None:
            return None
        waiting = and_(
            calls.chat_id == bindparam("of_chat"),
            calls.call_id == bindparam("of_call"),
            calls.status == "awaiting_approval",
        )
        decision: dict[object, object] = {
            calls.status: bindparam("new_status"),
            calls.error: bindparam("new_error"),
        }
        return update(calls.table).where(waiting).values(decision)

    @cached_property
    def request_stop(self) -> Update:
        """Ask the owner of a run to stop it."""
        return (
            update(self.run.table)
            .where(self.run.id == bindparam("row_id"), self.run.active_chat_id.is_not(None))
            .values({self.run.stop_requested: True})
        )

    @cached_property
    def run_states(self) -> Query:
        """How these runs do."""
        names = ("id", "status", "lease_until", "error")
        ids = bindparam("run_ids", expanding=True, type_=self.run.id.type)
        has_expired = self.run.lease_until < by_database_clock(bindparam("now"))
        return select(
            *(self.run.columns[name].label(name) for name in names),
            has_expired.label("has_expired"),
        ).where(self.run.id.in_(ids))

    @cached_property
    def get_run(self) -> Query:
        """A run of a chat."""
        return self.run.select().where(
            self.run.id == bindparam("run_id"), self.run.chat_id == bindparam("chat_id")
        )

    @cached_property
    def some_runs(self) -> Query:
        """Some runs of a chat, oldest first."""
        of_chat = self.run.chat_id == bindparam("chat_id")
        ids = bindparam("run_ids", expanding=True, type_=self.run.id.type)
        return self.run.select().where(of_chat, self.run.id.in_(ids)).order_by(self.run.id)

    @cached_property
    def runs_of_chat(self) -> Query:
        """The runs of a chat that have begun, oldest first."""
        has_not_begun = and_(self.run.status == "queued", self.run.active_chat_id.is_(None))
        return self.all_of(self.run).where(self.run.status != "waiting", ~has_not_begun)
