"""The database: the one asked for, or a PostgreSQL of our own, or SQLite."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from typing import Any, TypeAlias

from sqlalchemy import make_url, select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from chatrecord.sqlalchemy import Database

from . import indexes  # noqa: F401 - adds them to the tables
from .passwords import hashed
from .postgres import open_postgres
from .settings import Settings, Unusable
from .tables import Base, HrChat, User

HrDatabase: TypeAlias = Database[HrChat]
Sessions: TypeAlias = async_sessionmaker[AsyncSession]

DEMO = (
    ("ada@example.com", "Ada Moreau", "employee", 28, "ada-demo"),
    ("ben@example.com", "Ben Okafor", "employee", 30, "ben-demo"),
    ("admin@example.com", "Iris Lindqvist", "administrator", 30, "admin-demo"),
)
"""Who can sign in to a demo: address, name, role, vacation days a year, password."""


LEASE = timedelta(seconds=10)
"""How long an answer counts as live after its server was killed."""


@asynccontextmanager
async def open_database(
    settings: Settings, say: Callable[[str], None]
) -> AsyncIterator[HrDatabase]:
    """The database with its tables and people, ready to use."""
    with _server(settings, say) as url:
        async with Database(url, models=Base, lease=LEASE) as db:
            try:
                await _create(db, settings)
            except (OSError, SQLAlchemyError) as error:
                msg = f"The database cannot be used: {error}. Look at HR_DATABASE_URL"
                raise Unusable(msg) from error
            await db.create_search()  # for the administrator, who finds chats by what was said
            await db.check()  # a database of an earlier version is told before anybody asks
            yield db


def sessions_of(db: HrDatabase) -> Sessions:
    return async_sessionmaker(db.engine, expire_on_commit=False)


@contextmanager
def _server(settings: Settings, say: Callable[[str], None]) -> Iterator[str]:
    if settings.database_url:
        yield settings.database_url
        return
    settings.data.mkdir(parents=True, exist_ok=True)
    file = settings.data / "hr.db"
    server = None if file.exists() else _postgres(settings, say)
    if server is None:
        yield f"sqlite:///{file}"
        return
    try:
        url = make_url(server.get_uri()).set(drivername="postgresql+asyncpg")
        yield url.render_as_string(hide_password=False)
    finally:
        server.cleanup()


def _postgres(settings: Settings, say: Callable[[str], None]) -> Any:
    return open_postgres(settings.data / "postgres", say, as_root=settings.is_postgres_as_root)


async def _create(db: HrDatabase, settings: Settings) -> None:
    async with db.engine.begin() as connection:
        if db.engine.dialect.name == "postgresql":
            await connection.execute(text("CREATE EXTENSION IF NOT EXISTS vector"))
        await connection.run_sync(Base.metadata.create_all)
    async with sessions_of(db).begin() as session:
        if settings.is_demo and await session.scalar(select(User).limit(1)) is None:
            session.add_all(
                User(email=email, name=name, role=role, vacation_days=days, password=hashed(word))
                for email, name, role, days, word in DEMO
            )
