"""SQLAlchemy's classes of Django's models."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, cast

from django.conf import settings
from django.db import models
from sqlalchemy import (
    BigInteger,
    Boolean,
    Date,
    DateTime,
    Double,
    Integer,
    Interval,
    LargeBinary,
    Numeric,
    SmallInteger,
    String,
    Text,
    Time,
    Uuid,
)
from sqlalchemy.orm import DeclarativeBase, MappedColumn, mapped_column

from chatrecord.sqlalchemy import (
    AttachmentMixin,
    ChatMixin,
    ChunkMixin,
    EventMixin,
    EventReaderMixin,
    FeedbackMixin,
    MessageMixin,
    Models,
    RequestMixin,
    RunMixin,
    ToolCallMixin,
    UsageDayMixin,
)
from chatrecord.sqlalchemy.generics import ColumnType
from chatrecord.sqlalchemy.types import JsonValue, UtcDateTime

from .columns import column_names
from .model_names import model_of

_MIXINS: dict[str, type] = {
    "chat": ChatMixin,
    "run": RunMixin,
    "message": MessageMixin,
    "tool_call": ToolCallMixin,
    "request": RequestMixin,
    "chunk": ChunkMixin,
    "attachment": AttachmentMixin,
    "usage_day": UsageDayMixin,
    "event": EventMixin,
    "event_reader": EventReaderMixin,
    "feedback": FeedbackMixin,
}
"""In the order in which the mixins find each other."""

_TYPES: dict[str, Callable[[models.Field], ColumnType]] = {
    "AutoField": lambda _: Integer(),
    "BigAutoField": lambda _: BigInteger(),
    "BigIntegerField": lambda _: BigInteger(),
    "BinaryField": lambda _: LargeBinary(),
    "BooleanField": lambda _: Boolean(),
    "CharField": lambda field: String(field.max_length),
    "DateField": lambda _: Date(),
    "DateTimeField": lambda _: UtcDateTime() if settings.USE_TZ else DateTime(),
    "DecimalField": lambda field: Numeric(field.max_digits, field.decimal_places),
    "DurationField": lambda _: Interval(),
    "FileField": lambda field: String(field.max_length),
    "FilePathField": lambda field: String(field.max_length),
    "FloatField": lambda _: Double(),
    "IntegerField": lambda _: Integer(),
    "PositiveBigIntegerField": lambda _: BigInteger(),
    "PositiveIntegerField": lambda _: Integer(),
    "PositiveSmallIntegerField": lambda _: SmallInteger(),
    "SlugField": lambda field: String(field.max_length),
    "SmallAutoField": lambda _: SmallInteger(),
    "SmallIntegerField": lambda _: SmallInteger(),
    "TextField": lambda _: Text(),
    "TimeField": lambda _: Time(),
    "UUIDField": lambda _: Uuid(),
}
"""By the internal type of a field. `DurationField` is microseconds except on PostgreSQL."""


def mapped_models() -> Models:
    """A class for each model, on a base of their own."""
    base = cast(type[DeclarativeBase], type("Base", (DeclarativeBase,), {}))
    return Models(**{kind: _mapped(kind, base) for kind in _MIXINS})


def _mapped(kind: str, base: type[DeclarativeBase]) -> Any:
    model = model_of(kind)
    return type(model.__name__, (_MIXINS[kind], base), _namespace(kind, model))


def _namespace(kind: str, model: type[models.Model]) -> dict[str, Any]:
    of_library = column_names(kind)
    own = [field for field in model._meta.concrete_fields if field.column not in of_library]
    columns = {field.attname: _column(field) for field in own if _type(field) is not None}
    return {"__tablename__": model._meta.db_table, **columns}


def _column(field: models.Field) -> MappedColumn[Any]:
    found = cast(ColumnType, _type(field))
    default = None if field.null else _default(field)
    return mapped_column(field.column, found, nullable=field.null, default=default)


def _default(field: models.Field) -> Callable[[], object] | None:
    """What Django fills in where nothing is given: a blank text, a moment, a default."""
    if getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False):
        return lambda: datetime.now(UTC) if settings.USE_TZ else datetime.now()  # noqa: DTZ005
    if field.has_default() or field.get_default() is not None:
        return cast(Callable[[], object], field.get_default)
    return None


def _type(field: models.Field) -> ColumnType | None:
    """The type of a column of yours; `None` for one that only Django knows."""
    target = field
    while target.is_relation:
        target = target.target_field
    if target.get_internal_type() == "JSONField":
        return JsonValue()
    known = _TYPES.get(target.get_internal_type())
    return None if known is None else known(target)
