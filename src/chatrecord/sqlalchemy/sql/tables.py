"""The classes of a `Models` as Core sees them."""

from __future__ import annotations

from dataclasses import fields
from functools import cached_property, lru_cache
from typing import Any, cast

from sqlalchemy import (
    Delete,
    Insert,
    Table,
    Update,
    bindparam,
    delete,
    insert,
    inspect,
    select,
    update,
)
from sqlalchemy.orm import ColumnProperty, Mapper

from chatrecord.errors import ConfigurationError
from chatrecord.records import Message
from chatrecord.sqlalchemy.generics import Expression, Query, Values
from chatrecord.sqlalchemy.models.columns import Columns
from chatrecord.sqlalchemy.models.mixins import Models

from .clock import by_database_clock

TOKEN_COLUMNS = (
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
)

MESSAGE_COLUMNS = tuple(
    column
    for field in fields(Message)
    for column in (TOKEN_COLUMNS if field.name == "tokens" else (field.name,))
)
"""The columns of a message that the library writes, in the order of its fields."""


class MappedTable:
    """A mapped class as Core sees it: its table, and its columns by attribute name."""

    def __init__(self, model: type[Columns]) -> None:
        mapper: Mapper[Any] = inspect(model)
        self.mapped_class = model
        self.table = cast(Table, mapper.local_table)
        self.columns: dict[str, Expression] = {
            attribute.key: attribute.columns[0]
            for attribute in mapper.attrs
            if isinstance(attribute, ColumnProperty)
        }
        self._lacks = model.__later__ - self.columns.keys()

    def stored(self, values: Values) -> Values:
        """These values without those that the table has no column for."""
        if not self._lacks:
            return values
        return {
            name: value
            for name, value in values.items()
            if name.removeprefix("new_") not in self._lacks
        }

    def __getattr__(self, name: str) -> Expression:
        try:
            return self.columns[name]
        except KeyError:
            raise AttributeError(name) from None

    def select(self) -> Query:
        """All columns, labelled by attribute name."""
        return select(*(column.label(name) for name, column in self.columns.items()))

    def parameter(self, name: str, key: str) -> Expression:
        """What is inserted into this column: the parameter `key`."""
        return bindparam(key, type_=self.columns[name].type)

    @cached_property
    def delete_one(self) -> Delete:
        """The row of the parameter `row_id`."""
        return delete(self.table).where(self.columns["id"] == bindparam("row_id"))

    @lru_cache(maxsize=64)  # noqa: B019 - lives as long as its database
    def insert(self, *names: str) -> Insert:
        """A row from parameters named like the attributes."""
        row = {self.columns[name]: self.parameter(name, name) for name in names}
        return insert(self.table).values(row)

    @lru_cache(maxsize=64)  # noqa: B019 - lives as long as its database
    def update(self, *names: str) -> Update:
        """A row, found by the parameter `row_id`, from parameters `new_` and the attribute."""
        changes: dict[object, object] = {
            self.columns[name]: bindparam(f"new_{name}") for name in names
        }
        return update(self.table).where(self.columns["id"] == bindparam("row_id")).values(changes)


class NewRuns(MappedTable):
    """The table of runs, for those that begin: their leases end by the clock of the database."""

    def parameter(self, name: str, key: str) -> Expression:
        plain = super().parameter(name, key)
        return by_database_clock(plain) if name == "lease_until" else plain


class Tables:
    """The tables of one set of models."""

    def __init__(self, models: Models) -> None:
        self.chat = MappedTable(models.chat)
        self.run = MappedTable(models.run)
        self.new_run = NewRuns(models.run)
        self.message = MappedTable(models.message)
        self.chunk = MappedTable(models.chunk)
        self.tool_call = MappedTable(models.tool_call) if models.tool_call else None
        self.request = MappedTable(models.request) if models.request else None
        self.attachment = MappedTable(models.attachment) if models.attachment else None
        counts = models.usage_day if models.request else None
        self.usage_day = MappedTable(counts) if counts else None
        self.are_days_counted = counts is not None
        """Whether past days are added up here, and their sums are read."""
        self.event = MappedTable(models.event) if models.event else None
        self.feedback = MappedTable(models.feedback) if models.feedback else None
        self.event_reader = MappedTable(models.event_reader) if models.event_reader else None

    def all_of(self, mapped: MappedTable) -> Query:
        """Every row of a chat in the order of their ids, which is that of their making."""
        return mapped.select().where(mapped.chat_id == bindparam("chat_id")).order_by(mapped.id)


def kept(mapped: MappedTable | None, rows: str, model: str) -> MappedTable:
    """This table, or `ConfigurationError` where its rows are not kept."""
    if mapped is None:
        raise not_kept(rows, model)
    return mapped


def not_kept(rows: str, model: str) -> ConfigurationError:
    """What to say of rows that are not kept."""
    msg = f"{rows} are not kept in this database: give its Models a class for {model}="
    return ConfigurationError(msg)
