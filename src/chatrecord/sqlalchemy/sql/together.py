"""Several changes as one statement, which PostgreSQL commits by itself.

The first change is their guard, such as the lease of a run: without a row of it, the others change
nothing. All of them see the tables as they were before, so none sees another's rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

from sqlalchemy import (
    CTE,
    Delete,
    Insert,
    Integer,
    Update,
    bindparam,
    insert,
    literal_column,
    select,
)
from sqlalchemy.sql import visitors

from chatrecord.sqlalchemy.generics import Expression, Query, Values

from .tables import MappedTable

Change: TypeAlias = Insert | Update | Delete

_MOST_ROWS = 12
"""In one statement. More take longer than the round trips that it saves."""

_MOST_SHAPES = 64
"""Statements that are kept, for each combination of changes."""

_SEQ = "seq"
_ONE = literal_column("1", Integer)


@dataclass(frozen=True)
class Step:
    """One statement of a transaction, and what is bound to it for each of its rows.

    All rows have the same names in the same order.

    What is inserted is inserted `into` a table. Where it is `numbered`, its `seq` is bound as a
    distance from the `next_seq` that the guard returns.
    """

    statement: Change
    rows: Sequence[Values]
    into: MappedTable | None = None
    numbered: bool = False

    @property
    def shape(self) -> _Shape:
        """What its SQL depends on."""
        return self.statement, len(self.rows), self.into, tuple(self.rows[0]), self.numbered


_Shape: TypeAlias = tuple[Change, int, MappedTable | None, tuple[str, ...], bool]


class Together:
    """Makes one statement of several, and keeps it for the next of the same shape."""

    def __init__(self, is_plain: Callable[[Step], bool]) -> None:
        """`is_plain` tells of a step whether its database gets no more than what is bound to it.

        That is not so for a table of the user's with a column whose default is made in Python.
        """
        self._is_plain = is_plain
        self._known: dict[tuple[_Shape, ...], _Composed | None] = {}

    def statement(self, steps: Sequence[Step]) -> tuple[Query, Values] | None:
        """One that returns a row if the guard, which is the first, has one; and its parameters.

        `None` where the steps are too many or not plain, or too many different ones were made.
        """
        if sum(len(step.rows) for step in steps) > _MOST_ROWS:
            return None
        shape = tuple(step.shape for step in steps)
        if shape not in self._known and len(self._known) < _MOST_SHAPES:
            are_plain = all(map(self._is_plain, steps))
            self._known[shape] = _Composed(shape) if are_plain else None
        known = self._known.get(shape)
        return None if known is None else (known.query, known.bound(steps))


class _Composed:
    """A statement for all steps of a shape, and the names of what is bound to it."""

    def __init__(self, shape: Sequence[_Shape]) -> None:
        self.query = _composed(shape)
        self._names = [
            f"{_prefix(place, number)}{name}"
            for place, (_, rows, _, names, _) in enumerate(shape)
            for number in range(rows)
            for name in names
        ]

    def bound(self, steps: Sequence[Step]) -> Values:
        values: list[object] = []
        for row in (row for step in steps for row in step.rows):
            values.extend(row.values())
        return dict(zip(self._names, values, strict=True))


def _prefix(place: int, number: int) -> str:
    return f"c{place}_{number}_"


def _composed(shape: Sequence[_Shape]) -> Query:
    held = cast(Any, _named(shape[0][0], _prefix(0, 0)))
    if not held._returning:
        held = held.returning(_ONE.label("held"))
    guard = held.cte("guard")
    return select(guard).add_cte(*_guarded(guard, shape[1:]))


def _guarded(guard: CTE, shape: Sequence[_Shape]) -> Iterator[CTE]:
    for place, (statement, rows, into, names, numbered) in enumerate(shape, start=1):
        for number in range(rows):
            prefix = _prefix(place, number)
            change: Any
            if into is not None:
                change = _inserted(into, names, guard, prefix, numbered=numbered)
            else:
                holds = select(_ONE).select_from(guard).exists()
                change = cast(Any, _named(statement, prefix)).where(holds)
            yield change.cte(f"change_{place}_{number}")


def _inserted(
    into: MappedTable, names: Sequence[str], guard: CTE, prefix: str, *, numbered: bool
) -> Insert:
    values: dict[str, Expression] = {
        name: into.parameter(name, f"{prefix}{name}") for name in names
    }
    if numbered:
        behind = bindparam(f"{prefix}{_SEQ}", type_=Integer)
        values[_SEQ] = guard.c.next_seq - behind
    row = select(*values.values()).select_from(guard)
    columns = [into.columns[name] for name in names]
    return insert(into.table).from_select(columns, row, include_defaults=False)


def _named(statement: Change, prefix: str) -> Change:
    """The statement with other names for what is bound to it."""

    def name(bind: Any) -> None:
        if bind.required:
            bind.key = f"{prefix}{bind.key}"

    return visitors.cloned_traverse(statement, {}, {"bindparam": name})
