"""What the mixins share, so that they fit any declarative base."""

from __future__ import annotations

from typing import Any, ClassVar, TypeVar, cast

from sqlalchemy import Index, Table, event
from sqlalchemy.orm import Mapper, declared_attr

Mixin = TypeVar("Mixin")


class Columns:
    """Columns with the indexes that the library's queries need."""

    __indexes__: ClassVar[tuple[tuple[str, ...], ...]] = ()
    __uniques__: ClassVar[tuple[tuple[str, ...], ...]] = ()
    __later__: ClassVar[frozenset[str]] = frozenset()
    """Columns that a table may lack, because it was created before they were added."""


def not_arguments(mixin: type[Mixin]) -> type[Mixin]:
    """Make columns that no constructor asks for, as the library alone sets them.

    A dataclass and an SQLModel make an argument of each annotated column. So what SQLAlchemy would
    read in the annotations of this mixin is set here, and they are for type checkers alone.
    """
    for name, annotation in dict(mixin.__annotations__).items():
        if annotation.startswith("Mapped["):
            takes_none = annotation.endswith("| None]") or annotation == "Mapped[Any]"
            vars(mixin)[name].column.nullable = takes_none
            del mixin.__annotations__[name]
    for attribute in vars(mixin).values():
        if isinstance(attribute, declared_attr):
            cast(Any, attribute).fget.__annotations__.pop("return", None)
    return mixin


@event.listens_for(Columns, "after_mapper_constructed", propagate=True)
def _add_indexes(mapper: Mapper[Any], model: type[Columns]) -> None:
    """Add the indexes, whatever `__table_args__` are set."""
    table = mapper.local_table
    if isinstance(table, Table) and mapper.inherits is None:
        for columns in model.__indexes__:
            _add_index(table, columns)
        for columns in model.__uniques__:
            _add_index(table, columns, unique=True)


def _add_index(table: Table, columns: tuple[str, ...], *, unique: bool = False) -> None:
    name = f"ix_{table.name}_{'_'.join(columns)}"
    Index(name[:63], *(table.c[column] for column in columns), unique=unique)
