"""The parts of a growing answer, and how they are joined into its text and its reasoning."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

PieceKind = Literal["text", "reasoning"]

BLANK_LINE = "\n\n"


@dataclass(frozen=True, slots=True)
class Piece:
    """One part of a growing answer: its kind, and all of its text so far."""

    kind: PieceKind
    text: str


Pieces: TypeAlias = Sequence[Piece | None]
"""The parts of an answer, in order; `None` for those that say nothing."""

Snapshot: TypeAlias = Callable[[], Pieces]
"""The parts of a growing answer. Cheap: it is called many times a second."""


def spaced(pieces: Pieces) -> Iterator[tuple[str, Piece]]:
    """The parts that may say something, each with what stands before it: nothing, or a blank line.

    As in Pydantic AI's own text of an answer: a blank line parts texts with something between them,
    and each reasoning from the one before it. Text that follows text at once is one text.
    """
    said: set[PieceKind] = set()
    follows_text = False
    for piece in pieces:
        if piece is None:
            follows_text = False
        elif not piece.text:
            yield "", piece
            follows_text = follows_text and piece.kind == "text"
        else:
            is_apart = piece.kind in said and not (piece.kind == "text" and follows_text)
            yield (BLANK_LINE if is_apart else ""), piece
            said.add(piece.kind)
            follows_text = piece.kind == "text"


def joined(pieces: Pieces, kind: PieceKind) -> str:
    """All that is said of one kind."""
    return "".join(gap + piece.text for gap, piece in spaced(pieces) if piece.kind == kind)
