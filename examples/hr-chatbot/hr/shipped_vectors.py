"""The vectors of the handbook that comes with the application, so that a first start need not wait.

`python -m hr.shipped_vectors` writes them anew after the handbook, or how it is split, has changed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

from .answers import compared_texts
from .embeddings import Embedder, open_embedder
from .ingest import documents_in, embedded_texts
from .settings import HERE
from .splitting import split
from .vectors import Vector

FILE = HERE / "handbook" / "vectors.safetensors"
LOCAL = "all-MiniLM-L6-v2"


class WithShippedVectors:
    """The model on this machine, asked only for texts whose vectors are not in the file."""

    def __init__(self, model: Embedder) -> None:
        self.name = model.name
        self._model = model
        self._known = _read() if model.name == LOCAL and FILE.exists() else {}

    async def embed(self, texts: Sequence[str]) -> list[Vector]:
        unknown = [text for text in texts if _key(text) not in self._known]
        computed = dict(zip(unknown, await self._model.embed(unknown), strict=True))
        return [computed[text] if text in computed else self._shipped(text) for text in texts]

    def _shipped(self, text: str) -> Vector:
        vector = self._known[_key(text)].astype(np.float32)
        return vector / np.float32(np.linalg.norm(vector))


def handbook_texts(folder: Path) -> Iterator[str]:
    """What is embedded of the documents in a folder: for the search, and to choose an answer."""
    for path in documents_in(folder):
        parts = split(path.name, path.read_bytes())
        yield from embedded_texts(parts)
        for piece in parts.pieces:
            passage = {"title": parts.title, "heading": piece.heading, "text": piece.text}
            yield from compared_texts(passage)


def write(texts: Sequence[str], vectors: Sequence[Vector]) -> None:
    """In half precision: whole numbers of one byte each cost an answer of the evaluation."""
    keys = np.frombuffer(b"".join(map(_key, texts)), dtype=np.uint8).reshape(len(texts), -1)
    save_file({"keys": keys, "vectors": np.stack(vectors).astype(np.float16)}, FILE)


def _read() -> dict[bytes, Vector]:
    file = load_file(FILE)
    pairs = zip(file["keys"], file["vectors"], strict=True)
    return {key.tobytes(): vector for key, vector in pairs}


def _key(text: str) -> bytes:
    return sha256(text.encode()).digest()[:8]


async def main() -> None:
    texts = list(dict.fromkeys(handbook_texts(HERE / "handbook")))
    write(texts, await open_embedder("local").embed(texts))
    print(f"{len(texts)} vectors in {FILE.name}")


if __name__ == "__main__":
    asyncio.run(main())
