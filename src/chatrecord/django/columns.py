"""Django's fields, indexes and constraints of a table, made from the columns of its mixin."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from django.db import models
from sqlalchemy import BigInteger, Boolean, Date, Double, Integer, Uuid, inspect
from sqlalchemy.sql.schema import ScalarElementColumnDefault

from chatrecord.sqlalchemy.generics import TableColumn
from chatrecord.sqlalchemy.tables import READY_MADE
from chatrecord.sqlalchemy.types import (
    Bytes,
    Key,
    LongText,
    Money,
    PrivateDocument,
    PrivateJson,
    PrivateText,
    UtcDateTime,
)

from . import fields
from .constraints import CascadingForeignKey, LongNamedIndex
from .model_names import name_of

_FIELDS: dict[type, Callable[..., models.Field]] = {
    BigInteger: models.BigIntegerField,
    Boolean: models.BooleanField,
    Date: models.DateField,
    Integer: models.IntegerField,
    Uuid: models.UUIDField,
    Double: fields.DoubleField,
    Bytes: fields.BytesField,
    Key: fields.KeyField,
    LongText: fields.LongTextField,
    Money: fields.MoneyField,
    PrivateDocument: fields.PrivateDocumentField,
    PrivateJson: fields.PrivateJsonField,
    PrivateText: fields.PrivateTextField,
    UtcDateTime: fields.MomentField,
}
_REFERRED = ("chat", "message")
_PREFIX = "%(app_label)s_%(class)s"


def add_columns(model: type[models.Model], kind: str) -> None:
    """Give an abstract model the fields of the mixin of this kind."""
    for attribute, column in _columns(kind):
        name, field = _field(attribute, column)
        model.add_to_class(name, field)


def indexes_of(kind: str, *more: tuple[str, ...]) -> list[models.Index]:
    """The indexes of the mixin, and more."""
    names = _names(kind)
    found = [tuple(names[column] for column in columns) for columns in _mixin(kind).__indexes__]
    return [
        LongNamedIndex(fields=columns, name=f"ix_{_PREFIX}_{'_'.join(columns)}")
        for columns in (*found, *more)
    ]


def constraints_of(kind: str) -> list[Any]:
    """The foreign keys and the unique keys of the mixin."""
    names = _names(kind)
    keys = [
        CascadingForeignKey(field=names[column.name], name=f"fk_{_PREFIX}_{column.name}")
        for _, column in _columns(kind)
        if column.foreign_keys
    ]
    uniques = [
        models.UniqueConstraint(
            fields=[names[column] for column in columns],
            name=f"ix_{_PREFIX}_{'_'.join(columns)}",
        )
        for columns in (*_mixin(kind).__uniques__, *_unique_alone(kind))
    ]
    return [*keys, *uniques]


def column_names(kind: str) -> set[str]:
    """The columns of the mixin, as they are in the table."""
    return {column.name for _, column in _columns(kind)}


def _mixin(kind: str) -> Any:
    """The class right behind that of the ready-made table."""
    return getattr(READY_MADE, kind).__mro__[1]


def _columns(kind: str) -> Iterator[tuple[str, TableColumn]]:
    """The columns of the mixin by the names of their attributes, in their order."""
    model = getattr(READY_MADE, kind)
    mapper, own = inspect(model), vars(model).get("__annotations__", {})
    for column in mapper.local_table.columns:
        attribute = mapper.get_property_by_column(column).key
        if attribute not in own:  # the ready-made chat has an owner, as Django's has
            yield attribute, column


def _unique_alone(kind: str) -> list[tuple[str]]:
    """A constraint with a name, for that of a column has none on SQLite."""
    return [(column.name,) for _, column in _columns(kind) if column.unique]


def _names(kind: str) -> dict[str, str]:
    """The name of each column's field."""
    return {column.name: _field(attribute, column)[0] for attribute, column in _columns(kind)}


def _field(attribute: str, column: TableColumn) -> tuple[str, models.Field]:
    options: dict[str, Any] = {"null": column.nullable, "blank": column.nullable}
    if column.foreign_keys:
        return _reference(column, options)
    is_key = column.primary_key and len(column.table.primary_key.columns) == 1
    if is_key:
        options = {"primary_key": True}
    if column.index:
        options["db_index"] = True
    if isinstance(column.default, ScalarElementColumnDefault):
        options["default"] = column.default.arg
    name = attribute.rstrip("_")
    if name != column.name:
        options["db_column"] = column.name
    return name, _FIELDS[type(column.type)](editable=False, **options)


def _reference(column: TableColumn, options: dict[str, Any]) -> tuple[str, models.Field]:
    """A relation for Django. The database's own foreign key is one of the constraints."""
    (key,) = column.foreign_keys
    kind = next(
        kind for kind in _REFERRED if getattr(READY_MADE, kind).__table__ is key.column.table
    )
    field = models.ForeignKey(
        name_of(kind),
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=bool(column.index),
        editable=False,
        related_name="+",
        **options,
    )
    return column.name.removesuffix("_id"), field
