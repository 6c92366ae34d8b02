"""What a column type of the library is in a database of Django's, and its values there."""

from __future__ import annotations

from functools import lru_cache

from django.apps import apps
from django.db.backends.base.base import BaseDatabaseWrapper
from sqlalchemy import Dialect
from sqlalchemy.dialects import mysql, postgresql, sqlite

from chatrecord.errors import ConfigurationError
from chatrecord.sqlalchemy.generics import ColumnType


def declared(kind: ColumnType, connection: BaseDatabaseWrapper) -> str:
    """The type as a `CREATE TABLE` of this database names it."""
    is_mariadb = bool(getattr(connection, "mysql_is_mariadb", False))
    return kind.compile(dialect=_dialect(connection.vendor, is_mariadb))


def dialect_of_chats() -> Dialect:
    """The dialect of the chats' engine, which has their keys where they are encrypted."""
    found: Dialect = apps.get_app_config("chatrecord").database.engine.dialect
    return found


@lru_cache(maxsize=8)
def _dialect(vendor: str, is_mariadb: bool) -> Dialect:
    if vendor == "sqlite":
        return sqlite.dialect()
    if vendor == "postgresql":
        return postgresql.dialect()  # type: ignore[no-untyped-call]
    if vendor == "mysql":
        return mysql.dialect(is_mariadb=is_mariadb)
    msg = f"Chats cannot be stored in {vendor}: use SQLite, PostgreSQL, MySQL or MariaDB"
    raise ConfigurationError(msg)
