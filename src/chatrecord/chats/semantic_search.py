"""Search by meaning: vectors of what was said, and the texts that are closest to a question."""

from __future__ import annotations

from importlib import import_module

from chatrecord.errors import ConfigurationError
from chatrecord.llm.embedder import TextEmbedder, Vector
from chatrecord.runs.process import Backend
from chatrecord.store.chat_store import Scope
from chatrecord.store.search_store import NearText, VectorKind
from chatrecord.text.arguments import check_count

from .search_hits import SearchHit
from .searching import LONGEST, MOST, SNIPPET, check_snippet, checked_query, snippet_of

BATCH = 32
"""Texts in a request: with the longest texts, providers take no more tokens."""

LONGEST_EMBEDDED = 8_000
"""Characters of a text that are embedded: models read no more than about 8,000 tokens."""

MOST_DIMENSIONS = 2_000
"""What pgvector can index."""


async def create_semantic_search(backend: Backend, given: object, dimensions: int) -> None:
    """Create the table of vectors. See `Database.create_semantic_search`."""
    check_count("dimensions", dimensions)
    if dimensions > MOST_DIMENSIONS:
        msg = (
            f"pgvector indexes vectors of up to {MOST_DIMENSIONS} dimensions, not {dimensions}: "
            'many models make shorter ones with Embedder(..., settings={"dimensions": 1024})'
        )
        raise ValueError(msg)
    name = _opened(backend, given).name
    await backend.store.create_semantic_search(VectorKind(name, dimensions))


async def embed_messages(backend: Backend, given: object, *, limit: int) -> int:
    """Embed up to `limit` texts that have no vector yet, the newest first. Returns how many."""
    check_count("limit", limit)
    embedder = _opened(backend, given)
    done = 0
    while done < limit:
        most = min(BATCH, limit - done)
        claimed = await backend.store.claim_texts(
            embedder.name, most=most, longest=LONGEST_EMBEDDED
        )
        if not claimed.texts:
            break
        # No transaction is open meanwhile. Should this fail, the claim ends after some minutes.
        vectors = await embedder.of_texts(list(claimed.texts.values()))
        for vector in vectors:
            _check_dimensions(embedder, vector, claimed.kind)
        done += await backend.store.store_vectors(
            claimed, dict(zip(claimed.texts, vectors, strict=True))
        )
    return done


async def search_by_meaning(
    backend: Backend,
    query: str,
    given: object,
    *,
    limit: int,
    after: SearchHit | None,
    superseded: bool,
    scope: Scope,
    snippet: int = SNIPPET,
) -> list[SearchHit]:
    """The texts within the scope that are closest to the query."""
    check_count("limit", limit)
    check_snippet(snippet)
    if not checked_query(query).strip():
        return []
    embedder = _opened(backend, given)
    kind = await backend.store.vector_kind(embedder.name)
    vector = await embedder.of_query(query)
    _check_dimensions(embedder, vector, kind)
    last = None if after is None or after.message_id is None else (after.rank, after.message_id)
    found = await backend.store.shown.nearest(
        vector,
        scope,
        superseded=superseded,
        most=MOST,
        longest=min(LONGEST, snippet * 4),
        limit=limit,
        after=last,
    )
    return [_hit(each, snippet) for each in found]


def _opened(backend: Backend, given: object) -> TextEmbedder:
    """The embedder. Its library is imported only here and only now."""
    library = import_module("chatrecord.pydantic_ai.embedder")
    embedder: TextEmbedder = library.open_embedder(backend, given)
    return embedder


def _check_dimensions(embedder: TextEmbedder, vector: Vector, kind: VectorKind) -> None:
    if len(vector) != kind.dimensions:
        msg = (
            f"{embedder.name} makes vectors of {len(vector)} dimensions, and the table has those "
            f"of {kind.dimensions}: set dimensions in the settings of the embedder, or call "
            f"drop_semantic_search() and create_semantic_search(..., dimensions={len(vector)})"
        )
        raise ConfigurationError(msg)


def _hit(near: NearText, snippet: int) -> SearchHit:
    found = near.found
    return SearchHit(
        chat_id=found.chat_id,
        title=found.title,
        message_id=found.message_id,
        seq=found.seq,
        role=found.role,
        snippet=snippet_of(found.text, [], snippet),
        rank=near.rank,
        created_at=found.created_at,
    )
