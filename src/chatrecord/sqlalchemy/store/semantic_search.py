"""The search by meaning as `chatrecord.store` says, by pgvector."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import fields
from functools import cached_property
from typing import cast
from uuid import UUID, uuid4

from sqlalchemy import Table
from sqlalchemy.ext.asyncio import AsyncConnection

from chatrecord.errors import ConfigurationError, SearchUnavailable
from chatrecord.sqlalchemy.engine.connections import Connections
from chatrecord.sqlalchemy.generics import TableColumn
from chatrecord.sqlalchemy.models.creation import ADVISORY_LOCK, in_turn
from chatrecord.sqlalchemy.models.encryption import keys_of
from chatrecord.sqlalchemy.sql import search_vectors as sql
from chatrecord.sqlalchemy.sql.search import described
from chatrecord.sqlalchemy.sql.search_index import SearchTable
from chatrecord.sqlalchemy.sql.search_vectors import VectorStatements, VectorTable
from chatrecord.store.chat_store import Scope
from chatrecord.store.search_store import ClaimedTexts, FoundText, NearText, VectorKind

_OLDEST = (0, 8)
"""The version of pgvector whose index goes on where it has found too few."""

_CLAIMING = f"SELECT pg_advisory_xact_lock({ADVISORY_LOCK + 2})"

_ENCRYPTED = (
    "This Database has keys: its texts are encrypted, and no vectors are made of them, which tell "
    "what they mean"
)
_ELSEWHERE = (
    "A semantic search needs PostgreSQL with the extension pgvector, and this is {name}. "
    "search_messages() without semantic= finds words here"
)
_NO_EXTENSION = (
    "A semantic search needs the extension pgvector: install it on the server of PostgreSQL, and "
    "run `CREATE EXTENSION vector` in this database. See docs/how-to/search.md"
)
_OLD = (
    "A semantic search needs pgvector 0.8 or later, and this database has {version}: install a "
    "later one, and run `ALTER EXTENSION vector UPDATE`"
)
_MISSING = (
    "There are no vectors yet: call `await db.create_semantic_search(embedder, dimensions=...)` "
    "once, and `await db.embed_messages(embedder)` from a timer. See docs/how-to/search.md"
)
_OTHERS = (
    "The vectors in this database are those of {model}, with {dimensions} dimensions, and others "
    "cannot be compared with them: use that model, or call `await db.drop_semantic_search()`, "
    "create them anew and embed the messages again"
)


class StoredVectors(Connections):
    """What `chatrecord.store` says of the search by meaning."""

    async def create_semantic_search(self, kind: VectorKind) -> None:
        self._check_possible()

        async def create(connection: AsyncConnection) -> None:
            await _check_extension(connection)
            there = await self._look(connection)
            if there is None:
                schema = await self._schema(connection)
                for statement in self._vector_table.create(kind, schema):
                    await connection.exec_driver_sql(statement)
            elif there != kind:
                raise _others(there)

        await in_turn(self, create)

    async def drop_semantic_search(self) -> None:
        self._check_possible()

        async def drop(connection: AsyncConnection) -> None:
            schema = await self._schema(connection)
            for statement in self._vector_table.drop(schema):
                await connection.exec_driver_sql(statement)

        await in_turn(self, drop)

    async def vector_kind(self, model: str) -> VectorKind:
        self._check_possible()

        async def look() -> VectorKind:
            async with self.reading() as connection:
                return await self._kind_there(connection, model)

        return await self._retried(look)

    async def claim_texts(self, model: str, *, most: int, longest: int) -> ClaimedTexts:
        self._check_possible()
        said, claim = {"most": most, "longest": longest}, uuid4()

        async def take() -> ClaimedTexts:
            async with self.transaction() as connection:
                kind = await self._kind_there(connection, model)
                # One after the other: each sees what those before have claimed.
                await connection.exec_driver_sql(_CLAIMING)
                found = await connection.execute(self._vector_statements.unclaimed, said)
                rows = [dict(row) for row in found.mappings()]
                texts = {row["id"]: str(row.pop("text")) for row in rows}
                for row in rows:
                    values = {**row, "claim": claim}
                    await connection.execute(self._vector_statements.claim, values)
            return ClaimedTexts(claim, kind, texts)

        return await self._retried(take)

    async def store_vectors(
        self, claimed: ClaimedTexts, vectors: Mapping[UUID, Sequence[float]]
    ) -> int:
        async def store() -> int:
            async with self.transaction() as connection:
                stored = 0
                for key in sorted(vectors):
                    said = {"id": key, "of_claim": claimed.claim, "vector": _text(vectors[key])}
                    done = await connection.execute(self._vector_statements.store, said)
                    stored += done.rowcount
            return stored

        return await self._retried(store)

    async def nearest(
        self,
        vector: Sequence[float],
        scope: Scope,
        *,
        superseded: bool,
        most: int,
        longest: int,
        limit: int,
        after: tuple[float, UUID] | None,
    ) -> list[NearText]:
        self._check_possible()
        said: dict[str, object] = {
            "vector": _text(vector), "most": most, "longest": longest, "limit": limit
        }  # fmt: skip
        if after is not None:
            said["rank"], said["last_id"] = after
        statement = self._vector_statements.nearest(
            scope, superseded=superseded, is_after=after is not None
        )

        async def find() -> list[NearText]:
            async with self.reading() as connection:
                if not scope:
                    await connection.exec_driver_sql(sql.SETTINGS)
                found = await connection.execute(statement, said)
                return [
                    NearText(FoundText(**{it.name: row[it.name] for it in _FIELDS}), row["rank"])
                    for row in found.mappings()
                ]

        return await self._retried(find)

    def _check_possible(self) -> None:
        if self._engine.dialect.name != "postgresql":
            raise SearchUnavailable(_ELSEWHERE.format(name=self._engine.dialect.name))
        if keys_of(self._engine.dialect) is not None:
            raise SearchUnavailable(_ENCRYPTED)

    async def _kind_there(self, connection: AsyncConnection, model: str) -> VectorKind:
        there = await self._look(connection)
        if there is None:
            await _check_extension(connection)
            raise SearchUnavailable(_MISSING)
        if there.model != model:
            raise _others(there)
        return there

    async def _look(self, connection: AsyncConnection) -> VectorKind | None:
        query = described(sql.KIND, {"name": self._vector_table.path})
        row = (await connection.execute(query)).first()
        return None if row is None else VectorKind(sql.model_of(str(row.model)), row.dimensions)

    async def _schema(self, connection: AsyncConnection) -> str:
        query = described(sql.SCHEMA, {"name": self._vector_table.path_of_messages})
        schema = (await connection.execute(query)).scalar()
        if schema is None:
            msg = "There is no table of messages yet: call `await db.create_tables()` first"
            raise ConfigurationError(msg)
        return str(schema)

    @cached_property
    def _vector_table(self) -> VectorTable:
        message = self._sql.message
        table = message.table
        assert isinstance(table, Table)
        renamed = self._engine.get_execution_options().get("schema_translate_map") or {}
        key, body, role = (
            cast(TableColumn, column).name for column in (message.id, message.text, message.role)
        )
        schema = renamed.get(table.schema, table.schema)
        return VectorTable(self._engine.dialect, SearchTable(table.name, schema, key, body, role))

    @cached_property
    def _vector_statements(self) -> VectorStatements:
        schema = self._sql.message.table.schema
        return VectorStatements(self._sql, self._vector_table.name, schema)


_FIELDS = fields(FoundText)


async def _check_extension(connection: AsyncConnection) -> None:
    version = (await connection.exec_driver_sql(sql.VERSION)).scalar()
    if version is None:
        raise SearchUnavailable(_NO_EXTENSION)
    if tuple(int(part) for part in re.findall(r"\d+", str(version))[:2]) < _OLDEST:
        raise SearchUnavailable(_OLD.format(version=version))


def _others(there: VectorKind) -> ConfigurationError:
    return ConfigurationError(_OTHERS.format(model=there.model, dimensions=there.dimensions))


def _text(vector: Sequence[float]) -> str:
    """A vector as pgvector reads it."""
    return f"[{','.join(repr(float(number)) for number in vector)}]"
