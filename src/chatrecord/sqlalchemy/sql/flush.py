"""A flush of the journal as one statement, for databases that can: PostgreSQL."""

from __future__ import annotations

from functools import cached_property, lru_cache
from typing import Any

from sqlalchemy import (
    ARRAY,
    CTE,
    ColumnElement,
    Integer,
    TableValuedAlias,
    bindparam,
    column,
    func,
    insert,
    select,
    union_all,
    update,
)
from sqlalchemy.sql.selectable import FromClause

from chatrecord.sqlalchemy.generics import ColumnType, Expression, Query

from .clock import by_database_clock
from .leases import notification
from .tables import Tables

PIECE = ("message_id", "seq", "payload")
"""What is written of a piece."""


class FlushStatements(Tables):
    """A flush as one statement. Its parameters are arrays: its text is the same for any number."""

    @cached_property
    def is_flushed_at_once(self) -> bool:
        """Whether the values of a row are bound as they are, and no others are made in Python."""
        kinds = (self.chunk.columns[name].type for name in PIECE)
        has_default = any(each.default is not None for each in self.chunk.table.columns)
        return not has_default and not any(kind._has_bind_expression for kind in kinds)

    @lru_cache(maxsize=2)  # noqa: B019 - lives as long as its database
    def flush(self, *, tells: bool) -> Query:
        """Renew leases, check others, append the pieces of all that are good, and return those.

        A run of `held` is locked: until the commit no other process takes it over or deletes it. A
        lock costs the log of PostgreSQL half of an update. `seen` are only looked at.
        """
        mine = self._mine()
        found = select(mine.c.id, mine.c.stop_requested).add_cte(self._written(mine))
        if tells:
            found = found.add_columns(select(notification()).scalar_subquery())
        return found

    def _mine(self) -> CTE:
        read = (self.run.id.label("id"), self.run.stop_requested.label("stop_requested"))
        end = by_database_clock(bindparam("new_lease_until"))
        until: dict[object, object] = {self.run.lease_until: end}
        due, held, seen = (self._leases(name) for name in ("due", "held", "seen"))
        renewed = update(self.run.table).where(*self._of_ours(due)).values(until).returning(*read)
        locked = (
            select(*read)
            .where(*self._of_ours(held))
            .order_by(self.run.id)
            .with_for_update(key_share=True, of=self.run.table)
        )
        looked_at = select(*read).where(*self._of_ours(seen))
        each = (renewed.cte("renewed"), locked.cte("locked"), looked_at.cte("looked_at"))
        return union_all(*(select(of.c.id, of.c.stop_requested) for of in each)).cte("mine")

    def _leases(self, name: str) -> TableValuedAlias:
        kinds = {"run_id": self.run.id.type, "epoch": Integer()}
        return _rows_of(name, kinds)

    def _of_ours(self, leases: FromClause) -> list[ColumnElement[bool]]:
        return [
            self.run.id == leases.c.run_id,
            self.run.epoch == leases.c.epoch,
            self.run.owner == bindparam("of_owner"),
            # Neither one that has ended nor one that is parked: its lease has no end.
            self.run.status == "running",
        ]

    def _written(self, mine: CTE) -> CTE:
        columns: dict[str, Expression] = {name: self.chunk.columns[name] for name in PIECE}
        kinds = {name: of.type for name, of in columns.items()}
        pieces = _rows_of("piece", {"run_id": self.run.id.type, **kinds})
        of_mine = select(*(pieces.c[name] for name in PIECE)).where(pieces.c.run_id == mine.c.id)
        into: Any = list(columns.values())
        return (
            insert(self.chunk.table)
            .from_select(into, of_mine, include_defaults=False)
            .cte("written")
        )


def _rows_of(name: str, kinds: dict[str, ColumnType]) -> TableValuedAlias:
    """Rows of a parameter for each column, such as `piece_seq`: an array."""
    arrays = (bindparam(f"{name}_{of}", type_=ARRAY(kind)) for of, kind in kinds.items())
    columns = (column(of, kind) for of, kind in kinds.items())
    return func.unnest(*arrays).table_valued(*columns, name=name).render_derived(name=name)
