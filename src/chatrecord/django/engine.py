"""The database of Django's settings, as a URL for chats."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from sqlalchemy import URL

from chatrecord.errors import ConfigurationError

_OF_DJANGO = {
    "postgresql": {"isolation_level", "server_side_binding", "pool", "assume_role"},
    "mysql": {"isolation_level"},
    "sqlite": {"transaction_mode", "init_command"},
}
"""Options that only Django understands: chats have transactions of their own."""


def url_of(connection: BaseDatabaseWrapper, driver: str | None = None) -> URL:
    """The URL of what `settings.DATABASES` says, the test database where tests run.

    `driver` is `"psycopg"` or `"asyncpg"` on PostgreSQL; without it psycopg, which takes the same
    `OPTIONS` as Django, or else asyncpg. Raises `ConfigurationError`.
    """
    settings: dict[str, Any] = connection.settings_dict
    vendor = connection.vendor
    if vendor == "sqlite":
        return _sqlite(settings)
    if vendor == "postgresql":
        return _postgresql(settings, driver or _driver_of_postgresql())
    if vendor == "mysql":
        return _mysql(settings)
    msg = f"Chats cannot be stored in {vendor}: use SQLite, PostgreSQL, MySQL or MariaDB"
    raise ConfigurationError(msg)


def _sqlite(settings: dict[str, Any]) -> URL:
    name = str(settings["NAME"])
    if name == ":memory:":
        msg = (
            "The database in memory of settings.DATABASES is one of Django's connection alone. "
            "Give it a file: {'NAME': BASE_DIR / 'db.sqlite3'}"
        )
        raise ConfigurationError(msg)
    query = _texts("sqlite", settings)
    if name.startswith("file:"):
        name, _, given = name.partition("?")
        query |= dict(pair.partition("=")[::2] for pair in given.split("&") if pair)
        query["uri"] = "true"
    return URL.create("sqlite+aiosqlite", database=name, query=query)


def _postgresql(settings: dict[str, Any], driver: str) -> URL:
    options = _texts("postgresql", settings)
    host = str(settings["HOST"])
    if host.startswith("/"):
        options, host = {**options, "host": host}, ""
    if settings.get("DISABLE_SERVER_SIDE_CURSORS"):  # which says that there is a pooler
        off = {"psycopg": ("prepare_threshold", "none"), "asyncpg": ("statement_cache_size", "0")}
        options.setdefault(*off[driver])
    return _url(f"postgresql+{driver}", settings, host, options)


def _driver_of_postgresql() -> str:
    return "psycopg" if find_spec("psycopg") else "asyncpg"


def _mysql(settings: dict[str, Any]) -> URL:
    options = _texts("mysql", settings)
    host = str(settings["HOST"])
    if host.startswith("/"):
        options, host = {**options, "unix_socket": host}, ""
    return _url("mysql+asyncmy", settings, host, {"charset": "utf8mb4", **options})


def _url(name: str, settings: dict[str, Any], host: str, options: dict[str, str]) -> URL:
    return URL.create(
        name,
        username=str(settings["USER"]) or None,
        password=str(settings["PASSWORD"]) or None,
        host=host or None,
        port=int(settings["PORT"]) if settings["PORT"] else None,
        database=str(settings["NAME"] or "") or None,
        query=options,
    )


def _texts(vendor: str, settings: dict[str, Any]) -> dict[str, str]:
    """The options as a URL has them."""
    options = {
        name: value
        for name, value in settings.get("OPTIONS", {}).items()
        if name not in _OF_DJANGO[vendor]
    }
    for name, value in options.items():
        if not isinstance(value, str | int | float | bool):
            msg = (
                f"OPTIONS[{name!r}] of settings.DATABASES is no text and no number: make the "
                "engine of chats yourself, and name the function that returns it in "
                "CHATRECORD = {'ENGINE': 'project.chats.engine'}"
            )
            raise ConfigurationError(msg)
    return {
        name: str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in options.items()
    }
