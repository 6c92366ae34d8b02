"""The column types of the migrations, as they were. None of them is ever changed.

They say what a column is in each database. What is converted on the way to it is no matter of
theirs.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import DateTime, Dialect, LargeBinary, Numeric, String, Text
from sqlalchemy.dialects import mysql, postgresql
from sqlalchemy.types import TypeDecorator, TypeEngine

_MYSQL = ("mysql", "mariadb")


def _exact(dialect: Dialect) -> str:
    is_mariadb = getattr(dialect, "is_mariadb", False)
    return "utf8mb4_nopad_bin" if is_mariadb else "utf8mb4_0900_bin"


class Key(TypeDecorator[str]):
    """A short text that is compared byte by byte."""

    impl = String(255)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name in _MYSQL:
            return mysql.VARCHAR(255, charset="utf8mb4", collation=_exact(dialect))
        return String(255)


class LongText(TypeDecorator[str]):
    """A text of any length. It was made a VARCHAR without a length on PostgreSQL."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name in _MYSQL:
            return mysql.LONGTEXT(charset="utf8mb4", collation=_exact(dialect))
        return String() if dialect.name == "postgresql" else Text()


class Json(TypeDecorator[object]):
    """JSON that can be queried."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name in _MYSQL:
            return mysql.LONGTEXT(charset="utf8mb4", collation="utf8mb4_bin")
        return postgresql.JSONB() if dialect.name == "postgresql" else Text()


class Document(Json):
    """JSON that is kept to the letter."""

    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "postgresql":
            return postgresql.JSON()
        return super().load_dialect_impl(dialect)


class Bytes(TypeDecorator[bytes]):
    """Bytes of any number."""

    impl = LargeBinary
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return mysql.LONGBLOB() if dialect.name in _MYSQL else LargeBinary()


class Moment(TypeDecorator[object]):
    """A moment to the microsecond."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return mysql.DATETIME(fsp=6) if dialect.name in _MYSQL else DateTime(timezone=True)


class Money(TypeDecorator[object]):
    """US dollars with twelve places."""

    impl = Numeric(20, 12)
    cache_ok = True
