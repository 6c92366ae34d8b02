"""The engine of chats, by what settings.DATABASES says."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from chatrecord.errors import ConfigurationError


def url(vendor: str, driver: str | None = None, **settings: Any) -> str:
    from chatrecord.django.engine import url_of

    empty = {"NAME": "app", "USER": "", "PASSWORD": "", "HOST": "", "PORT": "", "OPTIONS": {}}
    connection = SimpleNamespace(vendor=vendor, settings_dict={**empty, **settings})
    return url_of(connection, driver).render_as_string(hide_password=False)


def test_postgresql_takes_the_driver_and_the_options_of_django() -> None:
    told = url(
        "postgresql",
        USER="ann",
        PASSWORD="a/b@c",
        HOST="db.internal",
        PORT="6432",
        OPTIONS={"sslmode": "require", "pool": True, "isolation_level": 2},
    )
    assert told == "postgresql+psycopg://ann:a%2Fb%40c@db.internal:6432/app?sslmode=require"


def test_asyncpg_can_be_chosen() -> None:
    assert url("postgresql", "asyncpg", HOST="db") == "postgresql+asyncpg://db/app"


def test_a_socket_is_found_by_its_folder() -> None:
    assert url("postgresql", HOST="/run/pg") == "postgresql+psycopg:///app?host=%2Frun%2Fpg"
    assert "unix_socket=%2Frun%2Fsock" in url("mysql", HOST="/run/sock")


def test_a_pooler_prepares_no_statements() -> None:
    pooled = {"DISABLE_SERVER_SIDE_CURSORS": True}
    assert url("postgresql", **pooled).endswith("?prepare_threshold=none")
    assert url("postgresql", "asyncpg", **pooled).endswith("?statement_cache_size=0")


def test_mysql_speaks_all_of_unicode() -> None:
    told = url("mysql", HOST="db", OPTIONS={"isolation_level": "read committed"})
    assert told == "mysql+asyncmy://db/app?charset=utf8mb4"


def test_sqlite_is_a_file_or_what_the_test_runner_shares() -> None:
    assert url("sqlite", NAME="/srv/site.db") == "sqlite+aiosqlite:////srv/site.db"
    shared = url("sqlite", NAME="file:memorydb_default?mode=memory&cache=shared")
    assert shared.startswith("sqlite+aiosqlite:///file%3Amemorydb_default?")
    assert {"mode=memory", "cache=shared", "uri=true"} == set(shared.partition("?")[2].split("&"))


@pytest.mark.parametrize(
    ("vendor", "settings", "named"),
    [
        ("sqlite", {"NAME": ":memory:"}, "a file"),
        ("oracle", {}, "use SQLite"),
        ("mysql", {"OPTIONS": {"ssl": {"ca": "ca.pem"}}}, "ENGINE"),
    ],
)
def test_what_cannot_work_names_the_fix(vendor: str, settings: Any, named: str) -> None:
    with pytest.raises(ConfigurationError, match=named):
        url(vendor, **settings)


def test_an_unknown_setting_is_named(small_site: str) -> None:
    from django.test import override_settings

    from chatrecord.django import close_database, db

    close_database()
    with (
        override_settings(CHATRECORD={"DRIVERS": "asyncpg"}),
        pytest.raises(ConfigurationError, match="'DRIVERS'"),
    ):
        _ = db.engine


def test_the_replica_of_chats_is_one_of_the_settings(small_site: str) -> None:
    from django.test import override_settings

    from chatrecord.django import close_database, db

    close_database()
    with override_settings(CHATRECORD={"READ": small_site}):
        primary, replica = db.store.engines
        assert primary is not replica
        assert primary.url == replica.url
    close_database()
