"""The port to the search in what was said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from chatrecord.text.search_query import SearchQuery

from .chat_store import Scope


@dataclass(frozen=True, slots=True)
class FoundText:
    """A text that fits a query: of a message, or the title of a chat, whose message is `None`."""

    chat_id: UUID
    title: str | None
    message_id: UUID | None
    seq: int | None
    role: str
    text: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class NearText:
    """A text of a message, and how close it is: 1 for the same direction, -1 for the opposite."""

    found: FoundText
    rank: float


@dataclass(frozen=True, slots=True)
class VectorKind:
    """Which vectors there are: only those of one model and length can be compared."""

    model: str
    dimensions: int


@dataclass(frozen=True, slots=True)
class ClaimedTexts:
    """Texts that nobody else embeds for some minutes, by the ids of their messages."""

    claim: UUID
    kind: VectorKind
    texts: Mapping[UUID, str]


class SearchStore(Protocol):
    """The search in titles and in the texts of users and models. See `SearchIndexStore`."""

    async def search(
        self, query: SearchQuery, scope: Scope, *, superseded: bool, most: int, longest: int
    ) -> list[FoundText]:
        """The newest `most` texts within the scope that fit the query, and as many titles.

        Texts are cut after `longest` characters. Raises `SearchUnavailable` without an index, and
        where texts are encrypted.
        """

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
        """The first `limit` of the `most` closest texts within the scope, the closest first.

        `after` is the rank and the message of the last one before. Texts are cut after `longest`
        characters. See `VectorStore`.
        """


class SearchIndexStore(Protocol):
    """The index that a search needs."""

    async def create_search(self, language: str = "simple") -> None:
        """Create the index that a search needs, of all that is there and of all that will be.

        Raises `ConfigurationError` for an unknown language, and `SearchUnavailable` where texts are
        encrypted.
        """

    async def drop_search(self) -> None:
        """Drop the index, if there is one."""


class VectorStore(Protocol):
    """The vectors that a search by meaning needs.

    Each method raises `SearchUnavailable` where there can be none, and all but the first where
    there are none yet. `ConfigurationError` is raised where those of another model are stored.
    """

    async def create_semantic_search(self, kind: VectorKind) -> None:
        """Create the table of vectors. The vector of a text goes when the text goes or changes."""

    async def drop_semantic_search(self) -> None:
        """Drop the table, if there is one."""

    async def vector_kind(self, model: str) -> VectorKind:
        """Which vectors there are."""

    async def claim_texts(self, model: str, *, most: int, longest: int) -> ClaimedTexts:
        """The newest texts that have no vector and that nobody else embeds, cut after `longest`."""

    async def store_vectors(
        self, claimed: ClaimedTexts, vectors: Mapping[UUID, Sequence[float]]
    ) -> int:
        """Store vectors of texts that are still as they were claimed. Returns how many."""
