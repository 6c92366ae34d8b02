"""The search as `chatrecord.store` says, and its index made and dropped."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import fields, replace
from typing import cast

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from chatrecord.errors import SearchUnavailable
from chatrecord.sqlalchemy.engine.connections import Connections
from chatrecord.sqlalchemy.generics import Row, TableColumn
from chatrecord.sqlalchemy.models.creation import ADVISORY_LOCK, in_turn
from chatrecord.sqlalchemy.models.encryption import keys_of
from chatrecord.sqlalchemy.sql.search import Search, described
from chatrecord.sqlalchemy.sql.search_index import (
    SIMPLE,
    SearchIndex,
    SearchTable,
    search_index,
)
from chatrecord.store.chat_store import Scope
from chatrecord.store.search_store import FoundText
from chatrecord.text.search_query import SearchQuery

_PAUSE = 0.1
"""Seconds between two looks at whether another process has created the index."""

_ENCRYPTED = (
    "This Database has keys: its texts are encrypted, so that the database cannot read them, and "
    "no search can be made of them. list_chats(search=...) finds chats by their titles"
)


_MISSING = (
    "There is no search index yet: call `await db.create_search()` once, or run `chatrecord "
    "migrate --search` for the ready-made tables. See docs/how-to/search.md"
)


class StoredSearch(Connections):
    """What `chatrecord.store` says of the search."""

    async def create_search(self, language: str = SIMPLE) -> None:
        """Create the index, or change its language. See `Database.create_search`."""
        self._check_readable()
        index = self._search_index(language)
        if self._engine.dialect.name == "postgresql":
            await self._create_concurrently(index)
        else:
            await in_turn(self, lambda connection: _create(connection, index))

    async def drop_search(self) -> None:
        """Drop the index. See `Database.drop_search`."""
        index = self._search_index(SIMPLE)
        if self._engine.dialect.name == "postgresql":
            async with self._opened(_autocommit(self._engine)) as connection:
                for statement in index.drop():
                    await connection.exec_driver_sql(statement)
        else:
            await in_turn(self, lambda connection: _drop(connection, index))

    async def search(
        self, query: SearchQuery, scope: Scope, *, superseded: bool, most: int, longest: int
    ) -> list[FoundText]:
        self._check_readable()

        said = {"most": most, "longest": longest}

        async def find() -> list[FoundText]:
            async with self.reading() as connection:
                index, shortest = await self._index_there(connection)
                search = Search(self._sql, index, query, scope, superseded, shortest)
                messages = await connection.execute(search.of_messages(), said)
                titles = await connection.execute(search.of_titles(), {"most": most})
                return [_found(row) for row in (*messages.mappings(), *titles.mappings())]

        return await self._retried(find)

    async def _index_there(self, connection: AsyncConnection) -> tuple[SearchIndex, int]:
        """The index, and the length of the shortest word in it."""
        index = self._search_index(SIMPLE)
        there = await _look(connection, index, index.messages)
        if there is None:
            raise SearchUnavailable(_MISSING)
        language, shortest = there
        return replace(index, language=language), shortest

    def _check_readable(self) -> None:
        if keys_of(self._engine.dialect) is not None:
            raise SearchUnavailable(_ENCRYPTED)

    def _search_index(self, language: str) -> SearchIndex:
        message, chat = self._sql.message, self._sql.chat
        text, role, title = (
            cast(TableColumn, column) for column in (message.text, message.role, chat.title)
        )
        index = search_index(self._engine.dialect, text, role, title, language)
        options = self._engine.get_execution_options()
        renamed = options.get("schema_translate_map") or {}
        chats, messages = (
            replace(table, schema=renamed.get(table.schema, table.schema)) for table in index.tables
        )
        return replace(index, chats=chats, messages=messages)

    async def _create_concurrently(self, index: SearchIndex) -> None:
        """Without blocking those who write, which no transaction can do.

        Two that do it at once would deadlock: a lock of the connection keeps others waiting.
        """
        async with (
            self._opened(_autocommit(self._engine)) as connection,
            _locked(connection),
        ):
            for table in index.tables:
                there = await _look(connection, index, table)
                if there is None or there[0] != index.language:
                    # One that somebody who died has left behind is there, and not valid.
                    await connection.exec_driver_sql(index.drop_on(table))
                    await connection.exec_driver_sql(index.create_on(table))


@asynccontextmanager
async def _locked(connection: AsyncConnection) -> AsyncIterator[None]:
    key = ADVISORY_LOCK + 1  # creating the tables does not wait for this
    taken = f"SELECT pg_try_advisory_lock({key})"
    while not (await connection.exec_driver_sql(taken)).scalar_one():  # noqa: ASYNC110
        await asyncio.sleep(_PAUSE)
    try:
        yield
    finally:
        with suppress(SQLAlchemyError):  # it went with its connection
            await connection.exec_driver_sql(f"SELECT pg_advisory_unlock({key})")


@asynccontextmanager
async def _autocommit(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    async with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        yield connection


async def _create(connection: AsyncConnection, index: SearchIndex) -> None:
    if connection.dialect.name == "sqlite":
        there = await _look(connection, index, index.messages)
        if there is None or there[0] != index.language:
            for statement in [*index.drop(), *index.create()]:
                await connection.exec_driver_sql(statement)
        return
    for table in index.tables:
        if await _look(connection, index, table) is None:
            await connection.exec_driver_sql(index.create_on(table))


async def _drop(connection: AsyncConnection, index: SearchIndex) -> None:
    there = [it for it in index.tables if await _look(connection, index, it) is not None]
    of_both = connection.dialect.name == "sqlite"
    for statement in index.drop() if of_both else [index.drop_on(table) for table in there]:
        await connection.exec_driver_sql(statement)


async def _look(
    connection: AsyncConnection, index: SearchIndex, table: SearchTable
) -> tuple[str, int] | None:
    """The language of the index of a table and the length of its shortest word, if it is there."""
    query, names = index.look(table)
    found = (await connection.execute(described(query, names))).first()
    return None if found is None else (index.language_of(str(found[0])), int(found[1]))


def _found(row: Row) -> FoundText:
    return FoundText(**{field.name: row[field.name] for field in fields(FoundText)})
