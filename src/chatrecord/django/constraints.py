"""Indexes and constraints that Django has no words for."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models.constraints import BaseConstraint


class CascadingForeignKey(BaseConstraint):
    """A foreign key with which the database deletes the rows that belong to a deleted one.

    Django's own would load every message of a chat before it deletes it.
    """

    def __init__(self, *, field: str, name: str) -> None:
        super().__init__(name=name)
        self.field = field

    def constraint_sql(
        self, model: type[models.Model], schema_editor: BaseDatabaseSchemaEditor
    ) -> str:
        """The constraint inside of a `CREATE TABLE`."""
        field = model._meta.get_field(self.field)
        target, quote = field.target_field, schema_editor.quote_name
        return (
            f"CONSTRAINT {quote(self.name)} FOREIGN KEY ({quote(field.column)}) REFERENCES "
            f"{quote(target.model._meta.db_table)} ({quote(target.column)}) ON DELETE CASCADE"
        )

    def create_sql(
        self, model: type[models.Model], schema_editor: BaseDatabaseSchemaEditor
    ) -> str | None:
        """The statement that adds it to a table."""
        table = schema_editor.quote_name(model._meta.db_table)
        return f"ALTER TABLE {table} ADD {self.constraint_sql(model, schema_editor)}"

    def remove_sql(
        self, model: type[models.Model], schema_editor: BaseDatabaseSchemaEditor
    ) -> str | None:
        """The statement that takes it from a table."""
        return str(schema_editor._delete_fk_sql(model, self.name))

    def validate(self, *args: object, **options: object) -> None:
        """Left to the database."""

    def deconstruct(self) -> tuple[str, tuple[()], dict[str, Any]]:
        """What a migration writes."""
        path = f"{self.__class__.__module__}.{self.__class__.__name__}"
        return path, (), {"field": self.field, "name": self.name}

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, CascadingForeignKey):
            return NotImplemented
        return self.deconstruct() == other.deconstruct()

    __hash__ = BaseConstraint.__hash__


class LongNamedIndex(models.Index):
    """An index with a name of more than 30 characters, which only Oracle does not take."""

    max_name_length = 63
