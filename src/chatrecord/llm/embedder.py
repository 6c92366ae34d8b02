"""The port to a model that makes vectors of texts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

Vector = Sequence[float]
"""What a text means, as numbers: texts that mean the same are close to each other."""


class TextEmbedder(Protocol):
    """Makes vectors of texts, and stores each of its requests."""

    @property
    def name(self) -> str:
        """The provider and the model, such as `openai:text-embedding-3-small`."""

    async def of_query(self, query: str) -> Vector:
        """The vector of what is searched for."""

    async def of_texts(self, texts: Sequence[str]) -> Sequence[Vector]:
        """The vectors of what is found, in the order of the texts."""
