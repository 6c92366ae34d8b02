"""The drivers of the servers, each with what is known of it."""

from __future__ import annotations

import pytest
from sqlalchemy import URL, make_url

DRIVERS = {
    "asyncpg": "postgresql+asyncpg",
    "psycopg": "postgresql+psycopg",
    "asyncmy": "mysql+asyncmy",
}

TERMINATE = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
"""Ends every other session of a PostgreSQL database."""

leaves_writers = pytest.mark.filterwarnings("ignore:unclosed <StreamWriter:ResourceWarning")
"""asyncmy leaves a connection that it has lost to the collector."""


def url_by(driver: str, request: pytest.FixtureRequest) -> URL:
    """The URL of the server that this driver speaks to."""
    server = "mariadb_url" if driver == "asyncmy" else "postgresql_url"
    return make_url(request.getfixturevalue(server)).set(drivername=DRIVERS[driver])
