"""Django's fields of the library's columns: each is declared as its SQLAlchemy type says.

Values that are read are what the library reads: decrypted, unescaped, in UTC.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from importlib import import_module
from typing import Any, ClassVar

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils import timezone
from sqlalchemy import Double
from sqlalchemy.types import TypeDecorator

from chatrecord.sqlalchemy.generics import ColumnType
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
from chatrecord.text.arguments import LONGEST_KEY

from .types import declared, dialect_of_chats


class KeyField(models.CharField):
    """A short text that is compared byte by byte."""

    kind: ClassVar[TypeDecorator[str]] = Key()

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **{"max_length": LONGEST_KEY, **options})

    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        return declared(self.kind, connection)

    def from_db_value(self, value: str | None, *_: object) -> str | None:
        return self.kind.process_result_value(value, dialect_of_chats())

    def get_db_prep_value(
        self, value: str | None, connection: BaseDatabaseWrapper, prepared: bool = False
    ) -> object:
        return self.kind.process_bind_param(value, dialect_of_chats())


class LongTextField(models.TextField):
    """Text of any length."""

    kind: ClassVar[TypeDecorator[str]] = LongText()

    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        return declared(self.kind, connection)

    def from_db_value(self, value: str | None, *_: object) -> str | None:
        return self.kind.process_result_value(value, dialect_of_chats())

    def get_db_prep_value(
        self, value: str | None, connection: BaseDatabaseWrapper, prepared: bool = False
    ) -> object:
        return self.kind.process_bind_param(value, dialect_of_chats())


class PrivateTextField(LongTextField):
    """Text that is encrypted where there are keys."""

    kind: ClassVar[TypeDecorator[str]] = PrivateText()


class PrivateJsonField(models.Field):
    """A JSON value that is encrypted where there are keys."""

    kind: ClassVar[TypeDecorator[object]] = PrivateJson()
    _is_read_as_text = True  # as Django reads JSONB, but not JSON

    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        return declared(self.kind, connection)

    def from_db_value(self, value: Any, _: object, connection: BaseDatabaseWrapper) -> object:
        is_text = self._is_read_as_text and isinstance(value, str)
        if is_text and connection.vendor == "postgresql":
            value = json.loads(value)
        return self.kind.process_result_value(value, dialect_of_chats())

    def get_db_prep_value(
        self, value: object, connection: BaseDatabaseWrapper, prepared: bool = False
    ) -> object:
        bound = self.kind.process_bind_param(value, dialect_of_chats())
        if connection.vendor == "postgresql" and bound is not None:
            return import_module("django.db.backends.postgresql.psycopg_any").Jsonb(bound)
        return bound


class PrivateDocumentField(PrivateJsonField):
    """The same, kept to the letter."""

    kind: ClassVar[TypeDecorator[object]] = PrivateDocument()
    _is_read_as_text = False


class MomentField(models.DateTimeField):
    """A moment in UTC, also where `USE_TZ` is false."""

    kind: ClassVar[TypeDecorator[datetime]] = UtcDateTime()

    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        return declared(self.kind, connection)

    def from_db_value(
        self, value: datetime | None, _: object, connection: BaseDatabaseWrapper
    ) -> datetime | None:
        if value is None or value.tzinfo is not None:
            return value
        is_local = connection.vendor == "postgresql"  # Django has taken its zone away
        return value.replace(tzinfo=timezone.get_default_timezone() if is_local else UTC)

    def get_db_prep_value(
        self, value: datetime | None, connection: BaseDatabaseWrapper, prepared: bool = False
    ) -> object:
        if not isinstance(value, datetime):
            return super().get_db_prep_value(value, connection, prepared)
        aware = value if timezone.is_aware(value) else timezone.make_aware(value)
        if connection.vendor == "postgresql":
            return aware
        return aware.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")


class MoneyField(models.DecimalField):
    """US dollars with twelve places."""

    kind: ClassVar[TypeDecorator[Decimal]] = Money()

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **{"max_digits": 20, "decimal_places": 12, **options})

    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        return declared(self.kind, connection)


class BytesField(models.BinaryField):
    """Bytes of any number."""

    kind: ClassVar[TypeDecorator[bytes]] = Bytes()

    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        return declared(self.kind, connection)


class DoubleField(models.FloatField):
    """A number of 64 bits."""

    kind: ClassVar[ColumnType] = Double()

    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        return declared(self.kind, connection)
