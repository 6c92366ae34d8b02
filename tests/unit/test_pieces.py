"""However an answer is made of parts, and grows: its chunks are its text, to the byte."""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st
from pydantic_ai.messages import (
    ModelResponse,
    ModelResponsePart,
    NativeToolCallPart,
    TextPart,
    ThinkingPart,
    ToolCallPart,
)

from chatrecord.ids import new_id
from chatrecord.llm.pieces import Piece, Pieces, joined
from chatrecord.pydantic_ai.messages import words_of
from chatrecord.records import Chunk
from chatrecord.runs.chunk_buffer import ChunkBuffer

WORDS = st.text("ab \n🤔", min_size=1, max_size=4)
SPOKEN = st.builds(TextPart, WORDS)
THOUGHT = st.builds(ThinkingPart, WORDS)
CALLS = st.sampled_from([NativeToolCallPart("search", {}), ToolCallPart("add", {})])
PARTS = st.lists(SPOKEN | THOUGHT | CALLS, max_size=6)


@given(PARTS)
def test_parts_are_joined_as_pydantic_ai_joins_them(parts: list[ModelResponsePart]) -> None:
    response = ModelResponse(parts)
    assert joined(words_of(response), "text") == (response.text or "")
    assert joined(words_of(response), "reasoning") == (response.thinking or "")


def test_hidden_reasoning_leaves_no_blank_lines() -> None:
    hidden = ThinkingPart("", signature="s")
    response = ModelResponse([hidden, ThinkingPart("a"), hidden, ThinkingPart("b"), hidden])
    assert joined(words_of(response), "reasoning") == "a\n\nb"


@given(PARTS)
def test_however_an_answer_grows_its_chunks_are_its_text(parts: list[ModelResponsePart]) -> None:
    whole = words_of(ModelResponse(parts))
    chunks, text, reasoning = streamed(growing(whole))
    assert "".join(chunk.text for chunk in chunks) == text == joined(whole, "text")
    said = "".join(chunk.reasoning for chunk in chunks)
    assert said == (reasoning or "") == joined(whole, "reasoning")


def test_parts_that_grow_side_by_side_are_stored_as_they_were_shown() -> None:
    states: list[Pieces] = [
        [Piece("text", "a"), None, Piece("text", "x")],
        [Piece("text", "ab"), None, Piece("text", "xy")],
    ]
    chunks, text, _ = streamed(iter(states))
    assert "".join(chunk.text for chunk in chunks) == text == "a\n\nxby"


def growing(whole: Pieces) -> Iterator[Pieces]:
    """The states of an answer that arrives character by character."""
    for place, piece in enumerate(whole):
        if piece is None:
            yield whole[: place + 1]
            continue
        for end in range(len(piece.text) + 1):
            yield [*whole[:place], Piece(piece.kind, piece.text[:end])]


def streamed(states: Iterator[Pieces]) -> tuple[list[Chunk], str, str | None]:
    """The chunks of an answer that goes through these states, and what is stored of it."""
    chunks: list[Chunk] = []
    buffer = ChunkBuffer(is_early=False)
    buffer.deliver = chunks.extend
    now: Pieces = []
    buffer.watch(new_id(), lambda: now)
    for state in states:
        now = state
        buffer.entries()
        buffer.stored()
    stored = buffer.unwatch()
    assert stored is not None
    buffer.hand_on(buffer.before(None), since=0)
    return chunks, *stored
