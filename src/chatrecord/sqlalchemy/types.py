"""Column types that mean the same on SQLite, PostgreSQL, MySQL and MariaDB."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, TypeAlias
from uuid import UUID

from sqlalchemy import (
    JSON,
    DateTime,
    Dialect,
    LargeBinary,
    Numeric,
    String,
    Text,
)
from sqlalchemy.dialects import mysql, postgresql, sqlite
from sqlalchemy.types import TypeDecorator, TypeEngine
from typing_extensions import TypeIs

from chatrecord.sqlalchemy.generics import ColumnType
from chatrecord.sqlalchemy.models.encryption import MARK, keys_of, opened, sealed
from chatrecord.text.arguments import LONGEST_KEY
from chatrecord.text.storable import (
    SUBSTITUTE,
    escape,
    escape_json,
    must_be_escaped,
    parsed,
    unescape,
    unescape_json,
)

_SEALED_JSON = json.dumps(MARK)[:-1]
_dumped = json.JSONEncoder(ensure_ascii=False).encode
_DIGITS_OF_AN_ID = 32
_UNTIL_OFFSET = len("2026-11-30 12:00:00.123456")
_MONEY_SCALE = Decimal(1).scaleb(-12)


def is_mysql(dialect: Dialect) -> bool:
    """Whether this is MySQL or MariaDB."""
    return dialect.name in ("mysql", "mariadb")


def exact_collation(dialect: Dialect) -> str:
    """The collation that tells every two strings apart, trailing spaces included."""
    is_mariadb = getattr(dialect, "is_mariadb", False)
    return "utf8mb4_nopad_bin" if is_mariadb else "utf8mb4_0900_bin"


Processor: TypeAlias = Callable[[Any], Any]
"""Reads each value of a column. That of a `TypeDecorator` is three calls deep, and a turn reads
thousands of values."""


@lru_cache(maxsize=4096)
def id_of(text: str | None) -> UUID | None:
    """An id of its 32 hexadecimal digits, as databases without a type for it keep one.

    The messages of a chat that is in use are read once a turn, always with the same ids.
    """
    if text is None:
        return None
    return UUID(int=int(text, 16)) if len(text) == _DIGITS_OF_AN_ID else UUID(text)


def unescaped(value: str | None) -> str | None:
    """Text as it was before it was stored."""
    return None if value is None else unescape(value)


def _escaped(value: str | None) -> str | None:
    return None if value is None else escape(value)


class LongText(TypeDecorator[str]):
    """Text of any length and any character, compared byte by byte."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[str]:
        if is_mysql(dialect):
            return dialect.type_descriptor(
                mysql.LONGTEXT(charset="utf8mb4", collation=exact_collation(dialect))
            )
        return dialect.type_descriptor(Text())

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else escape(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        return unescaped(value)

    def bind_processor(self, dialect: Dialect) -> Processor:
        return _escaped

    def result_processor(self, dialect: Dialect, coltype: object) -> Processor:
        return unescaped


class Key(TypeDecorator[str]):
    """A short string that can be indexed and is compared byte by byte."""

    impl = String(LONGEST_KEY)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[str]:
        if is_mysql(dialect):
            return dialect.type_descriptor(
                mysql.VARCHAR(LONGEST_KEY, charset="utf8mb4", collation=exact_collation(dialect))
            )
        return dialect.type_descriptor(String(LONGEST_KEY))

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else escape(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        return unescaped(value)

    def bind_processor(self, dialect: Dialect) -> Processor:
        return _escaped

    def result_processor(self, dialect: Dialect, coltype: object) -> Processor:
        return unescaped


class JsonValue(TypeDecorator[object]):
    """A JSON value: JSONB on PostgreSQL, text elsewhere.

    MySQL and MariaDB get LONGTEXT, because their own JSON types refuse a nesting of more than 100
    and 32 levels. SQLite gets TEXT, because a column called JSON rounds a lone large number. The
    JSON functions of all of them read text.
    """

    impl = JSON(none_as_null=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> ColumnType:
        if is_mysql(dialect):
            text = mysql.LONGTEXT(charset="utf8mb4", collation="utf8mb4_bin")
            return dialect.type_descriptor(text)
        if dialect.name == "postgresql":
            return dialect.type_descriptor(self._postgresql())
        return dialect.type_descriptor(Text())

    def process_bind_param(self, value: object, dialect: Dialect) -> object:
        if value is None or dialect.name != "postgresql":
            return self._text(value, dialect)
        return escape_json(value) if must_be_escaped(_dumped(value)) else value

    def bind_processor(self, dialect: Dialect) -> Processor | None:
        """The text for asyncpg, too: a value would be dumped once more."""
        if dialect.name != "postgresql" or dialect.driver == "asyncpg":
            return lambda value: None if value is None else self._text(value, dialect)
        return super().bind_processor(dialect)

    def _text(self, value: object, dialect: Dialect) -> str | None:
        if value is None:
            return None
        text = _dumped(value)
        return _dumped(escape_json(value)) if must_be_escaped(text) else text

    def process_result_value(self, value: object, dialect: Dialect) -> object:
        if dialect.name != "postgresql" and isinstance(value, str):
            return parsed(value)
        return unescape_json(value)

    def _postgresql(self) -> ColumnType:
        return postgresql.JSONB(none_as_null=True)


class JsonDocument(JsonValue):
    """A JSON value kept to the letter: JSON on PostgreSQL.

    JSONB reorders keys and rewrites numbers (1e300 comes back an integer): the raw result of a tool
    would not be raw, and a replayed message would miss the provider's prompt cache.
    """

    cache_ok = True

    def _postgresql(self) -> ColumnType:
        return postgresql.JSON(none_as_null=True)


class PrivateText(LongText):
    """Text that is encrypted where its database has keys."""

    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else sealed(escape(value), dialect)

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else unescape(opened(value, dialect))

    def bind_processor(self, dialect: Dialect) -> Processor:
        return lambda value: None if value is None else sealed(escape(value), dialect)

    def result_processor(self, dialect: Dialect, coltype: object) -> Processor:
        def read(value: str | None) -> str | None:
            if value is None or (SUBSTITUTE not in value and not value.startswith(MARK)):
                return value
            return unescape(opened(value, dialect))

        return read


class PrivateJson(JsonValue):
    """A JSON value that is encrypted where its database has keys: a JSON text is stored then."""

    cache_ok = True

    def process_bind_param(self, value: object, dialect: Dialect) -> object:
        if value is None or keys_of(dialect) is None or dialect.name != "postgresql":
            return super().process_bind_param(value, dialect)
        return sealed(_dumped(escape_json(value)), dialect)

    def _text(self, value: object, dialect: Dialect) -> str | None:
        if value is None or keys_of(dialect) is None:
            return super()._text(value, dialect)
        return json.dumps(sealed(_dumped(escape_json(value)), dialect))

    def process_result_value(self, value: object, dialect: Dialect) -> object:
        if _is_text(value, dialect) and not value.startswith(_SEALED_JSON):
            return parsed(value)
        held = json.loads(value) if _is_text(value, dialect) else value
        if isinstance(held, str) and held.startswith(MARK):
            return parsed(opened(held, dialect))
        return unescape_json(held)


class PrivateDocument(PrivateJson, JsonDocument):
    """The same, to the letter."""

    cache_ok = True


class JsonText(TypeDecorator[str]):
    """The text of a stored JSON value: decrypted, still escaped, and not parsed."""

    impl = Text
    cache_ok = True

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        if value is None or not value.startswith(_SEALED_JSON):
            return value
        return opened(json.loads(value), dialect)

    def result_processor(self, dialect: Dialect, coltype: object) -> Processor:
        return lambda value: (
            self.process_result_value(value, dialect)
            if value is not None and value.startswith(_SEALED_JSON)
            else value
        )


def _is_text(value: object, dialect: Dialect) -> TypeIs[str]:
    """Whether a stored JSON value is still to be parsed."""
    return dialect.name != "postgresql" and isinstance(value, str)


class Bytes(TypeDecorator[bytes]):
    """Bytes of any number; the default of MySQL and MariaDB is 64 kB."""

    impl = LargeBinary
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[bytes]:
        return dialect.type_descriptor(mysql.LONGBLOB() if is_mysql(dialect) else LargeBinary())


class UtcDateTime(TypeDecorator[datetime]):
    """A moment in UTC, to the microsecond. A naive datetime is refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[datetime]:
        if is_mysql(dialect):
            return dialect.type_descriptor(mysql.DATETIME(fsp=6))
        return dialect.type_descriptor(DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        moment = _utc(value)
        if moment is None or dialect.name == "postgresql":
            return moment
        return moment.replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return _as_utc(value)

    def bind_processor(self, dialect: Dialect) -> Processor | None:
        if isinstance(self.impl_instance, sqlite.DATETIME):
            return _utc_text
        return _utc if dialect.driver == "asyncpg" else super().bind_processor(dialect)

    def result_processor(self, dialect: Dialect, coltype: object) -> Processor | None:
        if isinstance(self.impl_instance, sqlite.DATETIME):
            return _of_utc_text
        return (
            _as_utc if dialect.driver == "asyncpg" else super().result_processor(dialect, coltype)
        )


def _utc(value: datetime | None) -> datetime | None:
    if value is None:
        return None
    if value.tzinfo is None:
        msg = f"{value!r} has no time zone: pass an aware datetime, such as datetime.now(UTC)"
        raise ValueError(msg)
    return value.astimezone(UTC)


def _as_utc(value: datetime | None) -> datetime | None:
    if value is None or value.tzinfo is UTC:
        return value
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _utc_text(value: datetime | None) -> str | None:
    """As SQLAlchemy writes a moment for SQLite."""
    moment = _utc(value)
    return None if moment is None else moment.isoformat(" ", "microseconds")[:_UNTIL_OFFSET]


def _of_utc_text(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(f"{text}+00:00")
    except ValueError:  # somebody else has written it in another way
        moment = datetime.fromisoformat(text)
    return _as_utc(moment)  # a day alone takes no time zone


class Money(TypeDecorator[Decimal]):
    """US dollars as an exact decimal with twelve places.

    SQLite has no decimal type: its column holds a number of 15 significant digits, which is read
    back as the decimal that was written.
    """

    impl = Numeric(20, 12)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> ColumnType:
        if dialect.name == "sqlite":
            return dialect.type_descriptor(Numeric(20, 12, asdecimal=False))
        return dialect.type_descriptor(Numeric(20, 12))

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> Decimal | float | None:
        if value is None:
            return None
        return float(value) if dialect.name == "sqlite" else value.quantize(_MONEY_SCALE)

    def process_result_value(self, value: object, dialect: Dialect) -> Decimal | None:
        return None if value is None else Decimal(str(value)).quantize(_MONEY_SCALE)
