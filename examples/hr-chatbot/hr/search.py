"""Hybrid search: by meaning and by words, put together by reciprocal rank fusion."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from sqlalchemy.orm import undefer

from .embeddings import Embedder
from .indexes import Index
from .tables import Passage

Way = Literal["vector", "text", "hybrid"]

CANDIDATES = 20
"""Taken of each ranking."""

_FLATTENING = 60
"""The usual constant of the fusion: how little the first places stand out."""

LEAST_SIMILARITY = 0.3
"""Below this cosine a passage is about something else."""


@dataclass(frozen=True)
class Found:
    """A passage, and why it was found: its score in the fusion, and its cosine to the query."""

    id: str
    document: str
    title: str
    heading: str
    page: int | None
    text: str
    score: float
    similarity: float


class Search:
    def __init__(
        self, sessions: async_sessionmaker[AsyncSession], index: Index, embedder: Embedder
    ) -> None:
        self._sessions = sessions
        self._index = index
        self._embedder = embedder

    async def __call__(self, query: str, *, limit: int = 5, way: Way = "hybrid") -> list[Found]:
        """The best passages for a question, best first; none where nothing is about it."""
        query = query.replace("\0", "")
        (vector,) = await self._embedder.embed([query])
        async with self._sessions() as session:
            rankings = []
            if way != "text":
                rankings.append(await self._index.nearest(session, vector, CANDIDATES))
            if way != "vector":
                rankings.append(await self._index.matching(session, query, CANDIDATES))
            scores = fused(rankings)
            passages = await _passages(session, scores)
        found = [_found(it, scores[it.id], float(it.embedding @ vector)) for it in passages]
        near = [it for it in found if it.similarity >= LEAST_SIMILARITY]
        return sorted(near, key=lambda it: -it.score)[:limit]


def fused(rankings: Sequence[Sequence[str]]) -> dict[str, float]:
    """A score for each id: the sum of 1 / (60 + its place) over the rankings."""
    scores: defaultdict[str, float] = defaultdict(float)
    for ranking in rankings:
        for place, found in enumerate(ranking, 1):
            scores[found] += 1 / (_FLATTENING + place)
    return dict(scores)


async def _passages(session: AsyncSession, ids: Iterable[str]) -> list[Passage]:
    wanted = select(Passage).where(Passage.id.in_(list(ids))).options(undefer(Passage.embedding))
    return list(await session.scalars(wanted))


def _found(passage: Passage, score: float, similarity: float) -> Found:
    return Found(
        id=passage.id,
        document=passage.document,
        title=passage.title,
        heading=passage.heading,
        page=passage.page,
        text=passage.text,
        score=round(score, 5),
        similarity=round(similarity, 3),
    )
