"""Policies on the rows of a database of PostgreSQL, and a role that they hold for."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from uuid import uuid4

from sqlalchemy import URL, Connection, make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

from chatrecord.sqlalchemy.tables import READY_MADE

tenant: ContextVar[str] = ContextVar("tenant")

SETTING = "nullif(current_setting('app.tenant', true), '')"
"""NULL without a tenant, which no row has."""

UNSCOPED = "llm_usage_days"
"""Sums of all, which a `Database` with partitions neither reads nor makes."""


@contextmanager
def tenant_is(name: str) -> Iterator[None]:
    """Be this tenant meanwhile."""
    before = tenant.set(name)
    try:
        yield
    finally:
        tenant.reset(before)


def set_tenant(connection: Connection) -> None:
    """What an application listens for a "begin" with."""
    name = {"name": tenant.get("")}
    connection.execute(text("SELECT set_config('app.tenant', :name, true)"), name)


@contextmanager
def policies(owner: str | URL) -> Iterator[URL]:
    """Give each table a policy. Returns the URL of a role that sees its tenant's rows only."""
    url, role = make_url(owner), f"chatrecord_tenant_{uuid4().hex[:8]}"
    tables = [each.name for each in READY_MADE.tables if each.name != UNSCOPED]
    made = [
        f"CREATE ROLE {role} LOGIN NOSUPERUSER NOBYPASSRLS",
        f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {role}",
        *(statement for table in tables for statement in _policy(table)),
    ]
    asyncio.run(_execute(url, made))
    try:
        yield url.set(username=role)
    finally:
        asyncio.run(_execute(url, [f"DROP OWNED BY {role}", f"DROP ROLE {role}"]))


def _policy(table: str) -> list[str]:
    return [
        f"ALTER TABLE {table} ADD COLUMN tenant text NOT NULL DEFAULT {SETTING}",
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
        f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
        f"CREATE POLICY tenants ON {table} USING (tenant = {SETTING})",
    ]


async def _execute(url: URL, statements: list[str]) -> None:
    engine = create_async_engine(url)
    async with engine.begin() as connection:
        for statement in statements:
            await connection.execute(text(statement))
    await engine.dispose()
