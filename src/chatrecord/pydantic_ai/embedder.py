"""Pydantic AI's embedders, for the semantic search."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic_ai import Embedder
from pydantic_ai.embeddings import EmbeddingModel, infer_embedding_model
from pydantic_ai.embeddings.wrapper import WrapperEmbeddingModel

from chatrecord.llm.embedder import TextEmbedder, Vector
from chatrecord.runs.process import Backend

from .recorded import RecordedEmbeddings, recorded


class _OpenedEmbedder:
    def __init__(self, embedder: Embedder, model: EmbeddingModel) -> None:
        self._embedder = embedder
        self.name = f"{model.system}:{model.model_name}"

    async def of_query(self, query: str) -> Vector:
        return (await self._embedder.embed_query(query)).embeddings[0]

    async def of_texts(self, texts: Sequence[str]) -> Sequence[Vector]:
        return (await self._embedder.embed_documents(texts)).embeddings


def open_embedder(backend: Backend, given: object) -> TextEmbedder:
    """An embedder whose requests are rows. One that is recorded already stays as it is."""
    embedder = Embedder(given) if isinstance(given, str | EmbeddingModel) else given
    if not isinstance(embedder, Embedder):
        msg = (
            "A semantic search takes Pydantic AI's Embedder or EmbeddingModel, or the name of an "
            f"embedding model, not {type(given).__name__}"
        )
        raise TypeError(msg)
    model = infer_embedding_model(embedder.model)
    if not _is_recorded(model):
        embedder = recorded(backend, embedder, None, None)
    return _OpenedEmbedder(embedder, model)


def _is_recorded(model: EmbeddingModel) -> bool:
    while isinstance(model, WrapperEmbeddingModel):
        if isinstance(model, RecordedEmbeddings):
            return True
        model = model.wrapped
    return False
