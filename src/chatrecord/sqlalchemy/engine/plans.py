"""Statements compiled once for a dialect, with what turns their values into a driver's."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any, TypeAlias
from weakref import WeakKeyDictionary

from sqlalchemy import BindParameter, Dialect, Executable, Uuid
from sqlalchemy.engine.interfaces import BindTyping
from sqlalchemy.engine.result import SimpleResultMetaData
from sqlalchemy.sql.compiler import SQLCompiler

from chatrecord.sqlalchemy.types import id_of, unescaped
from chatrecord.text.storable import SUBSTITUTE

Parameters: TypeAlias = Mapping[str, Any]
_Processor: TypeAlias = Callable[[Any], Any] | None

_MOST_PLANS = 64
"""Of one statement: each number of ids in an `IN` has SQL of its own."""


class Plan:
    """The SQL of a statement, what is bound to it, and the columns that it returns."""

    def __init__(self, compiled: SQLCompiler, given: Parameters) -> None:
        self._dialect = compiled.dialect
        self.sql, binds = _sql_and_binds(compiled, given)
        self._names = None if compiled.positional else [bind.name for bind in binds]
        self._pick = _picker(binds)
        self._fixed = {bind.source: bind.fixed for bind in binds if bind.source not in given}
        self._converted = [(at, bind.process) for at, bind in enumerate(binds) if bind.process]
        columns = _returned(compiled)
        self._types = [column.type for column in columns]
        self.keys = SimpleResultMetaData([str(column.key) for column in columns])
        self.width = len(columns)
        self._texts: list[int] = []
        self._read: list[tuple[int, Callable[[Any], Any]]] | None = None

    def bound(self, given: Parameters) -> Any:
        """The values as the driver takes them."""
        known = {**self._fixed, **given} if self._fixed else given
        values = self._pick(known)
        for at, convert in self._converted:
            values[at] = convert(values[at])
        return values if self._names is None else dict(zip(self._names, values, strict=True))

    def read(self, rows: Sequence[Sequence[Any]], codes: Sequence[object]) -> Iterator[list[Any]]:
        """The rows as the types of their columns read them. `codes` are the driver's types."""
        if self._read is None:
            readers = [
                _reader(kind.dialect_impl(self._dialect), self._dialect, code)
                for kind, code in zip(self._types, codes, strict=True)
            ]
            self._texts = [at for at, read in enumerate(readers) if read is unescaped]
            self._read = [
                (at, read)
                for at, read in enumerate(readers)
                if read is not None and at not in self._texts
            ]
        for row in rows:
            values = list(row)
            for at in self._texts:  # half of all columns: a call for each takes longer than a look
                if (text := values[at]) is not None and SUBSTITUTE in text:
                    values[at] = unescaped(text)
            for at, convert in self._read:
                values[at] = convert(values[at])
            yield values


class Plans:
    """The plans of a dialect, each made when its statement is executed for the second time.

    A statement that is built for one execution would never find its plan again; SQLAlchemy knows
    it by its structure.
    """

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self._known: WeakKeyDictionary[Executable, _Compiled | None] = WeakKeyDictionary()

    def find(self, statement: Executable, given: Parameters) -> Plan | None:
        """How this is sent straight to the driver, if it can be."""
        if statement not in self._known:
            self._known[statement] = None
            return None
        return self.made(statement, given)

    def is_new(self, statement: Executable) -> bool:
        """Whether this was never executed, such as one that is built for one execution."""
        return statement not in self._known

    def made(self, statement: Executable, given: Parameters) -> Plan | None:
        """The same, and made at the first execution."""
        known = self._known.get(statement)
        if known is None:
            known = self._known[statement] = _compiled(statement, self.dialect)
        return known.plan(given)


@dataclass(frozen=True, slots=True)
class _Compiled:
    """A statement with a plan for each number of items in its lists; none if it cannot have any."""

    compiled: SQLCompiler | None = None
    required: frozenset[str] = frozenset()
    lists: tuple[str, ...] = ()
    plans: dict[tuple[int, ...], Plan] = field(default_factory=dict)

    def plan(self, given: Parameters) -> Plan | None:
        if self.compiled is None or given.keys() != self.required:
            return None
        lengths = tuple(len(given[name]) for name in self.lists)
        if lengths not in self.plans and len(self.plans) < _MOST_PLANS and 0 not in lengths:
            self.plans[lengths] = Plan(self.compiled, given)
        return self.plans.get(lengths)


def _compiled(statement: Executable, dialect: Dialect) -> _Compiled:
    compiled = statement.compile(dialect=dialect)  # type: ignore[attr-defined]
    if not isinstance(compiled, SQLCompiler) or not _is_plain(compiled):
        return _Compiled()
    lists = tuple(compiled.bind_names[bind] for bind in compiled.post_compile_params)
    names = compiled.bind_names.items()
    required = frozenset(name for bind, name in names if bind.required)
    return _Compiled(compiled, required, lists)


def _is_plain(compiled: SQLCompiler) -> bool:
    """Whether values go to the driver and nothing else happens, such as a default in Python."""
    return (
        not compiled.insert_prefetch
        and not compiled.update_prefetch
        and not compiled.literal_execute_params
        and compiled.dialect.bind_typing is not BindTyping.SETINPUTSIZES
    )


@dataclass(frozen=True, slots=True)
class _Bind:
    """A parameter of the SQL: one of the statement's, or an item of a list that is one."""

    name: str
    source: str
    place: int | None
    fixed: object
    """The value that the statement brings along, such as a status."""
    process: _Processor

    def taken(self, given: Parameters) -> Any:
        """Its value, of what is given."""
        value = given[self.source]
        return value if self.place is None else value[self.place]


def _sql_and_binds(compiled: SQLCompiler, given: Parameters) -> tuple[str, list[_Bind]]:
    kinds = {name: bind for bind, name in compiled.bind_names.items()}
    sources: dict[str, tuple[str, int | None]] = {name: (name, None) for name in kinds}
    sql, names = str(compiled), compiled.positiontup or list(kinds)
    if compiled.post_compile_params:
        state = compiled.construct_expanded_state(compiled.construct_params(dict(given)))
        sql, names = state.statement, list(state.positiontup or state.parameters)
        for source, expanded in state.parameter_expansion.items():
            sources |= {name: (source, place) for place, name in enumerate(expanded)}
    return sql, [_bind(name, *sources[name], kinds, compiled.dialect) for name in names]


def _bind(
    name: str,
    source: str,
    place: int | None,
    kinds: Mapping[str, BindParameter[Any]],
    dialect: Dialect,
) -> _Bind:
    kind = kinds[source].type.dialect_impl(dialect)
    return _Bind(name, source, place, kinds[source].value, kind.bind_processor(dialect))


def _picker(binds: Sequence[_Bind]) -> Callable[[Parameters], list[Any]]:
    """What takes the values of these from what is given."""
    has_lists = any(bind.place is not None for bind in binds)
    if has_lists or len(binds) <= 1:
        return lambda given: [bind.taken(given) for bind in binds]
    pick = itemgetter(*(bind.source for bind in binds))
    return lambda given: list(pick(given))


def _reader(kind: Any, dialect: Dialect, code: object) -> _Processor:
    """What its type reads a column with, or `id_of`, which knows an id that it has read before."""
    read: _Processor = kind.result_processor(dialect, code)
    return id_of if read is not None and type(kind) is Uuid and kind.as_uuid else read


def _returned(compiled: SQLCompiler) -> list[Any]:
    """The columns that the statement returns."""
    statement: Any = compiled.statement
    returns = statement.is_select or getattr(statement, "_returning", ())
    return list(statement.exported_columns) if returns else []
