"""The parts of a growing answer, and how they are joined into its text and its reasoning."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from .stored_part import StoredPart

PieceKind = Literal["text", "reasoning", "output", "tool_input", "made"]
"""What grows, and what comes as a whole: a call of a provider's tool, its result, a source."""

Words = Literal["text", "reasoning"]
_WORDS = ("text", "reasoning")

BLANK_LINE = "\n\n"


@dataclass(frozen=True, slots=True)
class Piece:
    """One part of a growing answer: its kind, and all of its text so far.

    The text of an output or of a tool's input is JSON. `key` is where in an object the output
    stands, if it is not the object itself.
    """

    kind: PieceKind
    text: str = ""
    call_id: str = ""
    name: str = ""
    key: str | None = None
    made: Callable[[], StoredPart | None] | None = None
    """What came as a whole. Called once, so that it may be costly."""


Pieces: TypeAlias = Sequence[Piece | None]
"""The parts of an answer, in order; `None` for those that say nothing."""

Snapshot: TypeAlias = Callable[[], Pieces]
"""The parts of a growing answer. Cheap: it is called many times a second."""

SOURCE = "source"
"""The name of a piece that is a source: it belongs to a text, and parts no texts."""


def spaced(pieces: Pieces) -> Iterator[tuple[str, Piece]]:
    """The parts, each with what stands before it: nothing, or a blank line.

    As in Pydantic AI's own text of an answer: a blank line parts texts with something between them,
    and each reasoning from the one before it. Text that follows text at once is one text.
    """
    said: set[PieceKind] = set()
    follows_text = False
    for piece in pieces:
        gap = ""
        if piece is not None and piece.text and piece.kind in _WORDS:
            is_apart = piece.kind in said and not (piece.kind == "text" and follows_text)
            gap = BLANK_LINE if is_apart else ""
            said.add(piece.kind)
        if piece is not None:
            yield gap, piece
        follows_text = _follows_text(piece, follows_text)


def _follows_text(piece: Piece | None, before: bool) -> bool:
    if piece is None:
        return False
    if piece.kind == "text":
        return before or bool(piece.text)
    return before and (piece.name == SOURCE or (piece.kind == "output" and not piece.call_id))


def joined(pieces: Pieces, kind: Words) -> str:
    """All that is said of one kind."""
    return "".join(gap + piece.text for gap, piece in spaced(pieces) if piece.kind == kind)
