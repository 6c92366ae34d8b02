"""The database that a command works on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeAlias

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from chatrecord.errors import ChatNotFound, ConfigurationError, DatabaseFailed
from chatrecord.sqlalchemy import Database
from chatrecord.sqlalchemy.database import ReadyMade

from .program import PROGRAM

Chats: TypeAlias = Database[ReadyMade]
_LAST_WORD = 0.1


async def open_database(place: str) -> Chats:
    """The database of this URL or SQLite file, with its tables."""
    db = Database(url_of(place))
    try:
        await db.create_tables()
    except DatabaseFailed as error:
        await db.close()
        # The thread of an SQLite connection that never opened has a last word for this loop, and
        # complains on the terminal if that is gone by then.
        await asyncio.sleep(_LAST_WORD)
        msg = f"Cannot open the database {shown(place)}: {_reason(error.__cause__ or error)}"
        raise ConfigurationError(msg) from error
    except ConfigurationError:
        await db.close()
        raise
    return db


@asynccontextmanager
async def existing_database(place: str) -> AsyncIterator[Chats]:
    """The same, to read what is there: no file is made for that."""
    _check_file(place)
    db = await open_database(place)
    try:
        yield db
    finally:
        await db.close()


@asynccontextmanager
async def untouched_database(place: str) -> AsyncIterator[Chats]:
    """The database as it is: no file and no table is made."""
    _check_file(place)
    async with Database(url_of(place)) as db:
        yield db


def missing_file(place: str) -> str | None:
    """What to say if this is a file that no chat has made yet."""
    path = _file_of(url_of(place))
    if path is None or path.exists():
        return None
    return f"There is no {path} yet: start a chat with {PROGRAM} chat"


def _check_file(place: str) -> None:
    if missing := missing_file(place):
        raise ChatNotFound(missing)


def url_of(place: str) -> str:
    """A URL as it is; anything else is the path of an SQLite file."""
    return place if ":" in place.partition("/")[0] else f"sqlite+aiosqlite:///{place}"


def shown(place: str) -> str:
    """The place as people may see it: without its password."""
    try:
        return make_url(place).render_as_string() if place == url_of(place) else place
    except ArgumentError:
        return place


def _file_of(url: str) -> Path | None:
    try:
        parsed = make_url(url)
    except ArgumentError:
        return None
    if parsed.get_backend_name() != "sqlite" or parsed.database in (None, "", ":memory:"):
        return None
    return Path(str(parsed.database))


def _reason(error: object) -> str:
    """The driver's own words, without the statement and its parameters."""
    reason = str(getattr(error, "orig", None) or error).strip()
    return reason.splitlines()[0] if reason else type(error).__name__
