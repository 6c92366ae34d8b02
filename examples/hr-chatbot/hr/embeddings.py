"""Texts to vectors: by the model on this machine, or by a provider's."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Protocol

import numpy as np
from pydantic_ai import Embedder as ProviderEmbedder

from .vectors import DIMENSIONS, Vector


class Embedder(Protocol):
    name: str
    """Says which vectors can be compared: those of one name."""

    async def embed(self, texts: Sequence[str]) -> list[Vector]: ...


def open_embedder(wanted: str) -> Embedder:
    if wanted == "local":
        return LocalEmbedder()
    return RemoteEmbedder("openai:text-embedding-3-small" if wanted == "openai" else wanted)


class LocalEmbedder:
    name = "all-MiniLM-L6-v2"

    def __init__(self) -> None:
        from .minilm import MiniLM  # noqa: PLC0415 - 90 MB of weights

        self._model = MiniLM()

    async def embed(self, texts: Sequence[str]) -> list[Vector]:
        return await asyncio.to_thread(self._model.embed, texts)


class RemoteEmbedder:
    """A provider's embeddings, shortened to as many dimensions as the column has."""

    def __init__(self, model: str) -> None:
        self.name = model
        self._embedder = ProviderEmbedder(model, settings={"dimensions": DIMENSIONS})

    async def embed(self, texts: Sequence[str]) -> list[Vector]:
        result = await self._embedder.embed_documents(list(texts))
        vectors = [np.array(vector, dtype=np.float32) for vector in result.embeddings]
        return [vector / np.linalg.norm(vector) for vector in vectors]
