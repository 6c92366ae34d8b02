"""Django on each database, with the tables that its own migrations have made."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import make_url

from conftest import BACKENDS, _execute

from . import project

pytest.importorskip("django")
try:
    import pymysql

    pymysql.install_as_MySQLdb()
except ImportError:
    pymysql = None

project.set_up()

MAINTENANCE = {"postgresql": "postgres", "mariadb": "mysql"}


@pytest.fixture(scope="session")
def django_databases(request: pytest.FixtureRequest) -> Iterator[Any]:
    """Makes a database when a test first asks for it."""
    made: dict[str, str] = {}

    def database(alias: str) -> str:
        if alias in made:
            return alias
        if alias != "sqlite":
            if alias == "mariadb" and pymysql is None:
                pytest.skip("Django has no driver for MariaDB here: install pymysql")
            if alias == "postgresql":
                pytest.importorskip("psycopg")
            made[alias] = request.getfixturevalue(f"{alias}_url")
            server = make_url(made[alias]).set(database=MAINTENANCE[alias])
            asyncio.run(_execute(server, f"CREATE DATABASE {project.NAMES[alias]}"))
            project.at_server(alias, made[alias])
        from django.core.management import call_command

        made.setdefault(alias, "")
        project.Router.alias = alias
        call_command("migrate", database=alias, verbosity=0)
        return alias

    yield database
    from django.db import connections

    from chatrecord.django import close_database

    close_database()
    connections.close_all()
    for alias, url in made.items():
        if url:
            server = make_url(url).set(database=MAINTENANCE[alias])
            asyncio.run(_execute(server, f"DROP DATABASE {project.NAMES[alias]}"))
    shutil.rmtree(project.FOLDER, ignore_errors=True)


@pytest.fixture(params=BACKENDS)
def site(request: pytest.FixtureRequest, django_databases: Any) -> Iterator[str]:
    """The alias of one database after the other."""
    yield from _in_use(django_databases(request.param))


@pytest.fixture
def small_site(django_databases: Any) -> Iterator[str]:
    """That of SQLite, for what is the same on all."""
    yield from _in_use(django_databases("sqlite"))


def _in_use(alias: str) -> Iterator[str]:
    from asgiref.sync import sync_to_async
    from django.db import connections

    project.Router.alias = alias
    yield alias
    connections.close_all()
    asyncio.run(sync_to_async(connections.close_all)())  # those of asynchronous clients


@pytest.fixture
def user() -> Any:
    """A user nobody else has."""
    from django.contrib.auth.models import User

    return User.objects.create_user(f"user-{uuid4().hex[:12]}", password="secret")
