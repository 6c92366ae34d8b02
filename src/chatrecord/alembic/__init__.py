"""Migrations: of the ready-made tables, and hooks for Alembic on tables of your own.

    from chatrecord.alembic import migrate

    await migrate(Database("postgresql://..."))  # as `chatrecord migrate` does

    from chatrecord.alembic import include_object, render_item  # in env.py
    from chatrecord.alembic import create_search  # in a migration of your own

Needs the extra `migrations`.
"""

from .hooks import include_object, render_item
from .migration import VERSION_TABLE, Migration, migrate, migration_sql
from .search import create_search, drop_search

__all__ = [
    "VERSION_TABLE",
    "Migration",
    "create_search",
    "drop_search",
    "include_object",
    "migrate",
    "migration_sql",
    "render_item",
]
