"""Policies on the rows of a database of PostgreSQL, and a role that they hold for."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from uuid import uuid4

from sqlalchemy import URL, Connection, make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

tenant: ContextVar[str] = ContextVar("tenant")

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "tenants.md"


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
    """The policies of the page on tenants. Returns the URL of a role that sees its tenant's rows only."""
    url, role = make_url(owner), f"chatrecord_tenant_{uuid4().hex[:8]}"
    (of_page,) = re.findall(r"```sql\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    made = [
        of_page,
        f"CREATE ROLE {role} LOGIN NOSUPERUSER NOBYPASSRLS",
        f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {role}",
    ]
    asyncio.run(_execute(url, made))
    try:
        yield url.set(username=role)
    finally:
        asyncio.run(_execute(url, [f"DROP OWNED BY {role}", f"DROP ROLE {role}"]))


async def _execute(url: URL, statements: list[str]) -> None:
    engine = create_async_engine(url)
    async with engine.begin() as connection:
        for statement in statements:
            await connection.exec_driver_sql(statement)
    await engine.dispose()
