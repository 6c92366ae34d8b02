"""What an owner has spent and has under way."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cached_property

from sqlalchemy import (
    ColumnElement,
    Update,
    and_,
    bindparam,
    case,
    func,
    literal,
    select,
    union_all,
    update,
)

from chatrecord.ids import first_id
from chatrecord.records import REPORTED
from chatrecord.spending.days import Cover
from chatrecord.sqlalchemy.generics import Expression, Named, Query

from .clock import by_database_clock
from .exact import equals, exact
from .gaps import within_gaps
from .rare import is_rare
from .tables import TOKEN_COLUMNS, MappedTable, Tables, kept

_UNSENT = timedelta(hours=1)
"""How long before it is sent a request may have got its id."""


def costs_of(columns: Mapping[str, Expression]) -> tuple[Named, ...]:
    """The sum of the costs, how many are known, and how many of these the provider reported."""
    cost = columns["cost"]
    is_reported = and_(columns["price_source"] == REPORTED, cost.is_not(None))
    return (
        func.sum(cost).label("cost"),
        func.count(cost).label("priced"),
        func.sum(case((is_reported, 1), else_=0)).label("reported"),
    )


class SpendingStatements(Tables):
    """What an owner has spent and has under way."""

    @cached_property
    def usage(self) -> Query:
        """Sums over the chat's requests, or over its messages where requests are not kept."""
        rows = self.request or self.message
        written = self.message.role.in_(("assistant", "summary"))
        answers = [written] if self.request is None else []
        return select(
            *(func.sum(rows.columns[name]).label(name) for name in TOKEN_COLUMNS),
            func.count().label("requests"),
            *(costs_of(self.request.columns) if self.request else ()),
        ).where(rows.chat_id == bindparam("chat_id"), *answers)

    def _of_owner(self, by: str | None, whose: object) -> list[ColumnElement[bool]]:
        if by is None:
            return []
        return [equals(self._owner_column(by), whose)]

    def _owner_column(self, by: str) -> Expression:
        return self.chat.id if by == "chat_id" else self.chat.columns[by]

    def owner(self, by: str) -> Query:
        """The value of this column of a chat.

        Its row is locked as well: on MySQL a plain read would fix what the ones after it can see.
        """
        mine = self.chat.id == bindparam("chat_id")
        return select(exact(self._owner_column(by))).where(mine).with_for_update(key_share=True)

    def lock_owner(self, by: str | None, whose: object) -> Query:
        """The owner's first chat: its row is the lock for all."""
        first = select(self.chat.id).where(*self._of_owner(by, whose))
        return first.order_by(self.chat.id).limit(1).with_for_update(key_share=True)

    def spent(self, by: str, whose: object, since: datetime | None) -> Query:
        """Sums over what the owner's requests that have ended have used since then."""
        requests = kept(self.request, "Requests", "request")
        period = []
        if since is not None:
            # The ids tell the time, and the index of each chat's requests ends with them. Where a
            # summary or a hook came first, a request is sent long after it got its id.
            period = [requests.started_at >= since, requests.id >= first_id(since - _UNSENT)]
        return (
            select(*self._sums(requests))
            .join_from(self.chat.table, requests.table, requests.chat_id == self.chat.id)
            .where(requests.status != "running", *self._of_owner(by, whose), *period)
        )

    def spent_by_all(self, cover: Cover) -> Query:
        """The same of all chats, by counted days and the requests of the gaps between them.

        `counted` says how many of the days are still counted by the moment of this statement.
        """
        requests = kept(self.request, "Requests", "request")
        ended = requests.status != "running"
        read = select(*self._sums(requests)).where(ended, *within_gaps(requests.started_at, cover))
        days = self.usage_day
        if days is None or cover.first is None or cover.last is None:
            return read.add_columns(literal(0).label("counted"))
        names = (*TOKEN_COLUMNS, "requests", "cost", "priced", "reported")
        is_in = days.day.between(cover.first, cover.last)
        rows = select(*(days.columns[name].label(name) for name in names)).where(is_in)
        both = union_all(read, rows).subquery("both")
        is_counted = and_(is_in, days.place == 0, days.counted_at.is_not(None))
        counted = select(func.count()).select_from(days.table).where(is_counted)
        sums = (func.sum(both.c[name]).label(name) for name in names)
        return select(*sums, counted.scalar_subquery().label("counted"))

    def _sums(self, requests: MappedTable) -> list[Named]:
        return [
            *(func.sum(requests.columns[name]).label(name) for name in TOKEN_COLUMNS),
            func.count().label("requests"),
            *costs_of(requests.columns),
        ]

    def under_way(self, by: str | None, whose: object) -> Query:
        """Model and provider of the owner's requests that have not ended, of runs that live.

        They are found by way of the active runs, which are few.
        """
        requests = kept(self.request, "Requests", "request")
        alive = self.run.lease_until >= by_database_clock(bindparam("now"))
        found = select(requests.model, requests.provider).join_from(
            self.run.table, requests.table, requests.run_id == self.run.id
        )
        if by is not None:
            found = found.join(self.chat.table, self.chat.id == self.run.active_chat_id)
        return found.where(
            is_rare(self.run.status, "running"),
            requests.chat_id == self.run.active_chat_id,
            requests.id > self.run.id,
            requests.run_id != bindparam("but_of_run", type_=self.run.id.type),
            requests.status == "running",
            alive,
            *self._of_owner(by, whose),
        )

    def end_side_requests(self, cover: Cover) -> Update:
        """End the requests of no run that were begun in these gaps and have not ended."""
        requests = kept(self.request, "Requests", "request")
        changes: dict[object, object] = {
            requests.status: "interrupted",
            requests.error: bindparam("new_error"),
        }
        is_open = (requests.run_id.is_(None), requests.status == "running")
        return (
            update(requests.table)
            .where(*is_open, *within_gaps(requests.started_at, cover))
            .values(changes)
        )
