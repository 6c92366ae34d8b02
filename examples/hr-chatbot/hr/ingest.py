"""Documents into the database, as passages with their vectors. Doing it again changes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Literal

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from .embeddings import Embedder
from .lines import Line
from .reading import read
from .splitting import LONGEST, Piece, Split, split
from .tables import Document, Passage

KINDS = ("md", "txt", "pdf")
RULES = f"1 {LONGEST}"
"""Changes with how documents are split: then all are ingested again."""

MOST_UPLOADED = 20_000
"""Passages of all uploads together: each search on SQLite looks at every one."""

Origin = Literal["handbook", "upload"]
Progress = Callable[[int, int, str], None]


class HandbookFull(Exception):
    """Uploads have as many passages as they may; the message says what to do."""


@dataclass(frozen=True)
class Ingested:
    """How many documents were taken in, were there already, and are gone."""

    new: int
    unchanged: int
    removed: int


class Ingestion:
    def __init__(self, sessions: async_sessionmaker[AsyncSession], embedder: Embedder) -> None:
        self._sessions = sessions
        self._embedder = embedder
        self._writing = asyncio.Lock()
        self._uploads = Line(at_once=1, waiting=8)

    async def folder(self, folder: Path, progress: Progress) -> Ingested:
        """The documents of a folder: what changed is replaced, what is gone is removed."""
        files = documents_in(folder)
        new = 0
        for place, path in enumerate(files, 1):
            progress(place, len(files), path.name)
            new += await self.document(path.name, path.read_bytes(), "handbook")
        removed = await self._remove_others({path.name for path in files})
        return Ingested(new, len(files) - new, removed)

    async def upload(self, name: str, content: bytes) -> None:
        """A document of a stranger, one at a time: it may be large, or made to do harm.

        Raises `UnreadableDocument`, `HandbookFull` and `LineFull`.
        """
        async with self._uploads.turn():
            await self.document(name, content, "upload")

    async def remove(self, name: str) -> None:
        """Take a document out, with its passages."""
        async with self._writing, self._sessions.begin() as session:
            await _remove(session, [name])

    async def document(self, name: str, content: bytes, origin: Origin) -> bool:
        """One document; whether it was not there just so. Raises `UnreadableDocument`."""
        digest = self._digest(content)
        async with self._sessions() as session:
            known = await session.get(Document, name)
            if known is not None and known.digest == digest:
                return False
        if origin == "upload":
            parts = await read(name, content)
            await self._check_room(name, len(parts.pieces))
        else:
            parts = await asyncio.to_thread(split, name, content)
        passages = await self._passages(name, parts)
        kind = name.rpartition(".")[2]
        document = Document(name=name, title=parts.title, kind=kind, origin=origin, digest=digest)
        # One after the other: two that remove and add the same name at once would collide.
        async with self._writing, self._sessions.begin() as session:
            await _remove(session, [name])
            session.add(document)
            await session.flush()
            session.add_all(passages)
        return True

    async def _passages(self, name: str, parts: Split) -> list[Passage]:
        vectors = await self._embedder.embed(embedded_texts(parts))
        found = {
            passage_id(name, piece): Passage(
                id=passage_id(name, piece),
                document=name,
                place=place,
                title=parts.title,
                heading=piece.heading,
                page=piece.page,
                text=piece.text,
                embedding=vector,
            )
            for place, (piece, vector) in enumerate(zip(parts.pieces, vectors, strict=True))
        }
        return list(found.values())

    async def _check_room(self, name: str, more: int) -> None:
        others = Passage.document.in_(
            select(Document.name).where(Document.origin == "upload", Document.name != name)
        )
        async with self._sessions() as session:
            held = await session.scalar(select(func.count()).select_from(Passage).where(others))
        if (held or 0) + more > MOST_UPLOADED:
            msg = f"Uploads have {held} of {MOST_UPLOADED} passages: replace one by a shorter one"
            raise HandbookFull(msg)

    async def _remove_others(self, names: set[str]) -> int:
        async with self._sessions.begin() as session:
            ours = select(Document.name).where(Document.origin == "handbook")
            gone = [name for name in await session.scalars(ours) if name not in names]
            await _remove(session, gone)
        return len(gone)

    def _digest(self, content: bytes) -> str:
        return sha256(f"{RULES} {self._embedder.name}\0".encode() + content).hexdigest()


def documents_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.suffix[1:] in KINDS)


def embedded_texts(parts: Split) -> list[str]:
    """What is embedded of each piece: its words, and what they are about."""
    return [f"{parts.title}. {piece.heading}. {piece.text}" for piece in parts.pieces]


def passage_id(name: str, piece: Piece) -> str:
    """The same for the same words in the same place, so that old citations go on leading there."""
    said = "\0".join([name, str(piece.page), piece.heading, piece.text])
    return sha256(said.encode()).hexdigest()[:16]


async def _remove(session: AsyncSession, names: list[str]) -> None:
    await session.execute(delete(Passage).where(Passage.document.in_(names)))
    await session.execute(delete(Document).where(Document.name.in_(names)))
