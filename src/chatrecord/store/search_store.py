"""The port to the search in what was said."""

from __future__ import annotations

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


class SearchStore(Protocol):
    """The search in titles and in the texts of users and models. See `SearchIndexStore`."""

    async def search(
        self, query: SearchQuery, scope: Scope, *, superseded: bool, most: int, longest: int
    ) -> list[FoundText]:
        """The newest `most` texts within the scope that fit the query, and as many titles.

        Texts are cut after `longest` characters. Raises `SearchUnavailable` without an index, and
        where texts are encrypted.
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
