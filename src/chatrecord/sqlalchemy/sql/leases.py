"""Leases: extended, with what is written under them, and read."""

from __future__ import annotations

from functools import cached_property, lru_cache
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Integer,
    String,
    Update,
    bindparam,
    func,
    select,
    update,
)

from chatrecord.sqlalchemy.engine.notifications import CHANNEL
from chatrecord.sqlalchemy.generics import Expression, Query, UpdateReturning

from .clock import by_database_clock
from .tables import Tables

_NO_RUN = UUID(int=0)


class LeaseStatements(Tables):
    """Leases: extended, with what is written under them, and read."""

    def _owned(self) -> list[ColumnElement[bool]]:
        return [
            self.run.id.in_(bindparam("run_ids", expanding=True, type_=self.run.id.type)),
            self.run.owner == bindparam("of_owner"),
            self.run.epoch == bindparam("of_epoch", type_=Integer),
            # Neither one that has ended nor one that is parked: its lease has no end.
            self.run.status == "running",
        ]

    @cached_property
    def renew_leases(self) -> Update:
        """Extend the leases of those of these runs that are still of this owner and epoch."""
        end = by_database_clock(bindparam("new_lease_until"))
        until: dict[object, object] = {self.run.lease_until: end}
        return update(self.run.table).where(*self._owned()).values(until)

    @lru_cache(maxsize=8)  # noqa: B019 - lives as long as its database
    def renew_leases_with(self, *names: str) -> Update:
        """Extend the lease of a run and write these of its columns."""
        columns = self.run.columns
        changes: dict[object, object] = {columns[name]: bindparam(f"new_{name}") for name in names}
        return self.renew_leases.values(changes)

    @lru_cache(maxsize=8)  # noqa: B019 - lives as long as its database
    def renew_leases_with_and_tell(self, *names: str) -> UpdateReturning:
        """Extend the lease of a run, write these columns of it, and notify listeners."""
        return self.renew_leases_with(*names).returning(notification())

    @cached_property
    def read_leases(self) -> Query:
        """The stop requests of those runs that still have this owner and epoch."""
        return select(self.run.id, self.run.stop_requested).where(*self._owned())

    @cached_property
    def hold_leases(self) -> Query:
        """The same; until the commit no other process takes one of these runs over.

        A lock costs the log of PostgreSQL a quarter of an update.
        """
        return self.read_leases.order_by(self.run.id).with_for_update(key_share=True)

    @cached_property
    def lock_file(self) -> Update:
        """Changes nothing: SQLite has no locks on rows, and locks its file before a first write."""
        same: dict[object, object] = {self.run.epoch: self.run.epoch}
        return update(self.run.table).where(self.run.id == _NO_RUN).values(same)


def notification() -> Expression:
    """Tell those who listen what the parameter says."""
    return func.pg_notify(CHANNEL, bindparam("notification", type_=String))
