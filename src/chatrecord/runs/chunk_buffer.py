"""The chunks of a run between the provider and the database: collected, journaled, handed on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import takewhile
from time import perf_counter
from uuid import UUID

from chatrecord.llm.pieces import Piece, Snapshot, spaced
from chatrecord.llm.stored_part import StoredPart
from chatrecord.llm.stored_parts import parts_in
from chatrecord.records import Chunk, ChunkKind, Json, ToolCall
from chatrecord.store.changes import JournalEntry

from .backpressure import Backpressure
from .chunks import LONGEST_PIECE, ChunkMaker, is_journaled, made

EARLY = 0.25
"""Seconds of text that a reader may be ahead of the database, where delivery is early: a flush of
the journal and a commit. A database that takes longer is waited for."""


class ChunkBuffer:
    """Holds back what is not stored yet. Chunks wait until a commit or a flush has stored them."""

    def __init__(self, *, is_early: bool) -> None:
        self.deliver: Callable[[Sequence[Chunk]], None] = _drop
        """Who gets the chunks once they are stored, or a little earlier."""
        self.journaled: set[UUID] = set()
        """Messages with pieces in the journal."""
        self._is_early = is_early
        self._backpressure = Backpressure()
        self._message_id: UUID | None = None
        self._snapshot: Snapshot | None = None
        self._maker = ChunkMaker()
        self._seen: dict[tuple[str, str, int], int] = {}
        self._said: dict[str, list[str]] = {}
        self._made: set[tuple[str, str]] = set()
        self._waiting: list[Chunk] = []
        self._shown = 0
        self._unstored_since = self._flush_began = perf_counter()
        self._numbered = 0
        self._in_flush = 0

    # The answer grows

    def watch(self, message_id: UUID, snapshot: Snapshot) -> None:
        """The answer of this message grows here, maybe after a pause."""
        if message_id != self._message_id:
            self._seen, self._said, self._made = {}, {}, set()
        self._message_id, self._snapshot = message_id, snapshot

    def unwatch(self) -> tuple[str, str | None] | None:
        """The answer has ended: all text and reasoning of its chunks, if any was awaited."""
        if self._snapshot is None:
            self._backpressure.end()
            return None
        self.collect()
        self._backpressure.end()
        self._snapshot = None
        return self.said

    @property
    def said(self) -> tuple[str, str | None]:
        """All text and reasoning of the chunks of the last answer."""
        text, reasoning = self._said.get("text", ()), self._said.get("reasoning", ())
        return "".join(text), "".join(reasoning) or None

    def complete(self, message_id: UUID, content: Json) -> None:
        """The answer is stored with this content: tell of what has not been told while it grew."""
        for part in parts_in(content) if message_id == self._message_id else ():
            if part.is_made and part.identity not in self._made:
                self._tell(part)

    def grow(self, characters: int) -> bool:
        """Add received characters. Returns whether too much is unstored.

        Then call `wait_for_room`.
        """
        if self._is_early:
            self.collect()
            if perf_counter() - self._unstored_since < EARLY:
                self._show_early()
        return self._backpressure.add(characters)

    async def wait_for_room(self) -> None:
        """Until enough is stored."""
        await self._backpressure.wait_for_room()

    def add_call(self, call: ToolCall, *kinds: ChunkKind) -> None:
        """A tool call has begun, or has its result, after all that was said so far."""
        self.collect()
        self._waiting += [Chunk(kind, call.message_id, tool_call=call) for kind in kinds]

    def collect(self) -> None:
        """Turn the growth since the last call into chunks."""
        if self._snapshot is None:
            return
        assert self._message_id is not None
        ordinals: Counter[tuple[str, str]] = Counter()
        for gap, piece in spaced(self._snapshot()):
            # By its number among its kind: a tool call may still be inserted before it.
            part = (piece.kind, piece.call_id, ordinals[piece.kind, piece.call_id])
            ordinals[piece.kind, piece.call_id] += 1
            seen = self._seen.get(part, 0)
            if piece.made is not None and not seen:
                self._seen[part] = 1
                self._tell_if_small(piece.made())
            elif len(piece.text) > seen:
                self._seen[part] = len(piece.text)
                self._say(piece, piece.text[seen:] if seen else gap + piece.text)

    def _say(self, piece: Piece, news: str) -> None:
        assert self._message_id is not None
        if not self._waiting:
            self._unstored_since = perf_counter()
        self._said.setdefault(piece.kind, []).append(news)
        self._waiting += [
            self._maker.grown(
                self._message_id,
                piece.kind,
                it,
                call_id=piece.call_id,
                name=piece.name,
                key=piece.key,
            )
            for it in _pieces(news)
        ]

    def _tell_if_small(self, part: StoredPart | None) -> None:
        """What is too large for the journal is told when the answer is stored."""
        assert self._message_id is not None
        if part is None or part.identity in self._made:
            return
        if is_journaled(made(part, self._message_id)):
            self._tell(part)

    def _tell(self, part: StoredPart) -> None:
        assert self._message_id is not None
        if not self._waiting:
            self._unstored_since = perf_counter()
        self._made.add(part.identity)
        self._waiting.append(made(part, self._message_id))

    # It is stored

    def entries(self) -> list[JournalEntry]:
        """The pieces for the next flush; the same ones again until `stored` is called."""
        self.collect()
        self._backpressure.flush_started()
        said = self._unstored_words()
        self._flush_began = perf_counter()
        self.journaled.update(chunk.message_id for chunk in said)
        self._in_flush = len(said)
        return [
            JournalEntry(chunk.message_id, self._numbered + place, self._maker.payload_of(chunk))
            for place, chunk in enumerate(said)
        ]

    def stored(self) -> None:
        """Those pieces are stored."""
        self._backpressure.flush_finished()
        self._numbered += self._in_flush
        self.hand_on(self._in_flush, since=self._flush_began)

    def before(self, open_answer: UUID | None) -> int:
        """How many chunks wait that come before those of this answer, whose text is no row yet."""
        return sum(1 for _ in takewhile(lambda it: it.message_id != open_answer, self._waiting))

    def hand_on(self, count: int, *, since: float) -> None:
        """These are stored; the others arrived later."""
        self._unstored_since = since
        stored, self._waiting = self._waiting[self._shown : count], self._waiting[count:]
        self._shown = max(0, self._shown - count)
        if stored:
            self.deliver(stored)

    def _show_early(self) -> None:
        """Hand on what is said, though it is not stored yet."""
        said = self._unstored_words()
        if len(said) > self._shown:
            news, self._shown = said[self._shown :], len(said)
            self.deliver(news)

    def _unstored_words(self) -> list[Chunk]:
        """What waits for the journal, up to the first tool call or file."""
        return list(takewhile(is_journaled, self._waiting))


def _pieces(text: str) -> list[str]:
    starts = range(0, len(text), LONGEST_PIECE)
    return [text[start : start + LONGEST_PIECE] for start in starts]


def _drop(_chunks: Sequence[Chunk]) -> None:
    """Before anybody listens."""
