"""Hybrid search: by meaning and by words, put together by reciprocal rank fusion."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from sqlalchemy.orm import undefer

from .embeddings import Embedder
from .indexes import Index
from .lexicon import Lexicon
from .tables import Passage
from .texts import plain

Way = Literal["vector", "text", "hybrid"]

CANDIDATES = 20
"""Taken of each ranking."""

LONGEST_QUERY = 1_000
"""Characters that are looked at. The tool refuses more, so that the model says it in fewer."""

_FLATTENING = 10
"""How little the first places stand out. The usual 60 is for long rankings: here 10 found more."""

_WEIGHTS = {"vector": 2.0, "text": 1.0}
"""People rarely use the words of a handbook, so meaning counts for more (see `evaluate`)."""

LEAST_SIMILARITY = 0.2
"""If no passage has this cosine to it, the handbook says nothing about a question. All questions of
the evaluation have more; whoever answers looks closer."""


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
        self.embedder = embedder
        self._lexicon = Lexicon.of([])

    async def __call__(self, query: str, *, limit: int = 5, way: Way = "hybrid") -> list[Found]:
        """The best passages for a question, best first; none where nothing is about it."""
        query = plain(query[:LONGEST_QUERY])
        (vector,) = await self.embedder.embed([query])
        async with self._sessions() as session:
            rankings: dict[str, list[str]] = {}
            if way != "text":
                rankings["vector"] = await self._index.nearest(session, vector, CANDIDATES)
            if way != "vector":
                rankings["text"] = await self._index.matching(session, query, CANDIDATES)
            scores = fused(rankings)
            passages = await _passages(session, scores)
        found = [_found(it, scores[it.id], float(it.embedding @ vector)) for it in passages]
        if not any(it.similarity >= LEAST_SIMILARITY for it in found):
            return []
        return sorted(found, key=lambda it: -it.score)[:limit]

    async def lexicon(self) -> Lexicon:
        """The words of all passages, counted anew when there are more of them, or fewer."""
        async with self._sessions() as session:
            number = await session.scalar(select(func.count()).select_from(Passage))
            if number != self._lexicon.passages:
                said = Passage.title + " " + Passage.heading + " " + Passage.text
                self._lexicon = Lexicon.of(list(await session.scalars(select(said))))
        return self._lexicon


def fused(rankings: Mapping[str, Sequence[str]]) -> dict[str, float]:
    """A score for each id: the sum of its weight / (10 + its place) over the rankings."""
    scores: defaultdict[str, float] = defaultdict(float)
    for way, ranking in rankings.items():
        for place, found in enumerate(ranking, 1):
            scores[found] += _WEIGHTS[way] / (_FLATTENING + place)
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
