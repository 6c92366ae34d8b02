"""How each database finds passages: by the direction of a vector, and by words."""

from __future__ import annotations

import re
from typing import Protocol

import numpy as np
from sqlalchemy import DDL, ColumnElement, event, func, literal_column, select, text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from .lexicon import words_of
from .synonyms import with_synonyms
from .tables import Passage
from .vectors import Vector


class Index(Protocol):
    """Both return ids of passages, best first."""

    async def nearest(self, session: AsyncSession, vector: Vector, limit: int) -> list[str]: ...

    async def matching(self, session: AsyncSession, query: str, limit: int) -> list[str]: ...


def index_of(engine: AsyncEngine) -> Index:
    return PostgresIndex() if engine.dialect.name == "postgresql" else SqliteIndex()


class PostgresIndex:
    """pgvector's HNSW index, and PostgreSQL's own full text search."""

    async def nearest(self, session: AsyncSession, vector: Vector, limit: int) -> list[str]:
        distance = Passage.embedding.op("<=>")(vector)
        return list(await session.scalars(select(Passage.id).order_by(distance).limit(limit)))

    async def matching(self, session: AsyncSession, query: str, limit: int) -> list[str]:
        # Any of the words will do: whole questions rarely stand in a handbook.
        asked = func.websearch_to_tsquery("english", " or ".join(_words(query)))
        words: ColumnElement[str] = literal_column("passages.words")
        # 1: divided by the logarithm of the length, so that long passages do not win by it.
        rank = func.ts_rank(words, asked, 1)
        found = select(Passage.id).where(words.op("@@")(asked)).order_by(rank.desc())
        return list(await session.scalars(found.limit(limit)))


class SqliteIndex:
    """All vectors at once, which a handbook is small enough for, and SQLite's FTS5."""

    async def nearest(self, session: AsyncSession, vector: Vector, limit: int) -> list[str]:
        rows = (await session.execute(select(Passage.id, Passage.embedding))).all()
        if not rows:
            return []
        cosines = np.stack([row.embedding for row in rows]) @ vector
        return [rows[place].id for place in np.argsort(-cosines)[:limit]]

    async def matching(self, session: AsyncSession, query: str, limit: int) -> list[str]:
        asked = " OR ".join(f'"{word}"' for word in _words(query))
        found = text(
            "SELECT id FROM passage_words WHERE passage_words MATCH :asked"
            " ORDER BY bm25(passage_words, 0, 1, 2, 1) LIMIT :limit"
        )
        if not asked:
            return []
        return list(await session.scalars(found, {"asked": asked, "limit": limit}))


def _words(query: str) -> list[str]:
    """The words of a question but those that every question has, and their synonyms."""
    words = re.findall(r"\w+", query.lower())
    return with_synonyms([word for word in words if word not in _COMMON])


def telling_words(text: str) -> list[str]:
    """Its words and figures, each once, but those that every question has."""
    return list(dict.fromkeys(word for word in words_of(text) if word not in _COMMON))


_EVERYWHERE = """
    a about after all am an and any anybody anything are as ask at be been before but by can
    could did do does don early else every for from get gets go goes going got had has have he
    her here him his how i if in into is it its keep keeps know last let like long longer look m
    made make many may me might more much must my need no not now of often on only or other our
    owe put s see shall she should so some somebody something still t take tell than that the
    their them then there they this to too two until up us use want was way we were what when
    where which who whom whose why will with would wrong you your"""
_COMMON = frozenset(_EVERYWHERE.split())

_ON_POSTGRES = (
    """ALTER TABLE passages ADD COLUMN words tsvector GENERATED ALWAYS AS (
         setweight(to_tsvector('english', title || ' ' || heading), 'A') ||
         setweight(to_tsvector('english', text), 'B')) STORED""",
    "CREATE INDEX ix_passages_words ON passages USING gin (words)",
    "CREATE INDEX ix_passages_embedding ON passages USING hnsw (embedding vector_cosine_ops)",
)
_ON_SQLITE = (
    """CREATE VIRTUAL TABLE passage_words USING fts5(
         id UNINDEXED, title, heading, text, tokenize='porter unicode61')""",
    """CREATE TRIGGER passage_comes AFTER INSERT ON passages BEGIN
         INSERT INTO passage_words VALUES (new.id, new.title, new.heading, new.text); END""",
    """CREATE TRIGGER passage_goes AFTER DELETE ON passages BEGIN
         DELETE FROM passage_words WHERE id = old.id; END""",
)


def _create_with_passages(dialect: str, statements: tuple[str, ...]) -> None:
    for statement in statements:
        ddl = DDL(statement).execute_if(dialect=dialect)  # type: ignore[no-untyped-call]
        event.listen(Passage.__table__, "after_create", ddl)


_create_with_passages("postgresql", _ON_POSTGRES)
_create_with_passages("sqlite", _ON_SQLITE)
