"""Runs that a model and its tools could have made, as chunks: for the encoders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import pairwise
from uuid import UUID

from hypothesis import strategies as st

from chatrecord.ids import new_id
from chatrecord.records import Attached, Chunk, ProviderCall, Source, ToolCall, ToolInput, Usage
from chatrecord.web import Ending, Opening, Problem

CHAT, RUN, QUESTION = new_id(), new_id(), new_id()
OPENING = Opening(CHAT, RUN, QUESTION, datetime(2026, 11, 22, tzinfo=UTC), files="/chats/1/files")


@dataclass(frozen=True)
class Told:
    """A run, and how it has ended."""

    chunks: Sequence[Chunk]
    ending: Ending

    @property
    def text(self) -> str:
        return "".join(chunk.text for chunk in self.chunks)

    @property
    def reasoning(self) -> str:
        return "".join(chunk.reasoning for chunk in self.chunks)


anything = st.text(st.characters(), min_size=1, max_size=12)
"""Lone surrogates and control characters included."""

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | anything,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(anything, inner, max_size=3),
    max_leaves=5,
)


@st.composite
def calls(draw: st.DrawFn, message_id: UUID, number: int) -> ToolCall:
    status = draw(st.sampled_from(["complete", "failed", "denied", "interrupted"]))
    return ToolCall(
        id=new_id(),
        chat_id=CHAT,
        run_id=RUN,
        message_id=message_id,
        call_id=f"call-{number}",
        name=draw(st.sampled_from(["add", "pay"])),
        arguments=draw(values),
        status=status,
        result=draw(values) if status == "complete" else None,
        error=draw(st.none() | anything),
        started_at=None,
        finished_at=None,
        duration_ms=None,
    )


@st.composite
def others(draw: st.DrawFn, message_id: UUID, number: int) -> list[Chunk]:
    """Something that is no word: in the middle of an answer."""
    own = ProviderCall(f"own-{number}", "web_search", draw(values))
    found = replace(own, status=draw(st.sampled_from(["complete", "failed"])), result=draw(values))
    source = draw(
        st.sampled_from(
            [Source("https://e.com", "E"), Source("https://e.com/2"), Source(None, "Book", "b1")]
        )
    )
    file = draw(
        st.sampled_from(
            [
                Attached("0" * 64, None, "image/png", None, 3),
                Attached(None, "https://e.com/a.png", None, "a.png", None),
            ]
        )
    )
    called = ToolInput(f"call-{draw(st.integers(0, 3))}", "add")
    return draw(
        st.sampled_from(
            [
                [Chunk("provider_call", message_id, provider_call=own)],
                [Chunk("provider_result", message_id, provider_call=found)],
                [
                    Chunk("provider_call", message_id, provider_call=own),
                    Chunk("provider_result", message_id, provider_call=found),
                ],
                [Chunk("source", message_id, source=source)],
                [Chunk("file", message_id, file=file)],
                [Chunk("output", message_id, output=draw(values), delta="1")],
                [Chunk("tool_input", message_id, tool_input=called, delta='{"a"')],
            ]
        )
    )


@st.composite
def steps(draw: st.DrawFn) -> list[Chunk]:
    """An answer, and the calls in it. Some end that were never told to have begun."""
    message_id = new_id()
    chunks = [
        Chunk("text", message_id, text=said)
        if is_text
        else Chunk("reasoning", message_id, reasoning=said)
        for is_text, said in draw(st.lists(st.tuples(st.booleans(), anything), max_size=5))
    ]
    for number in range(draw(st.integers(0, 3))):
        place = draw(st.integers(0, len(chunks)))
        chunks[place:place] = draw(others(message_id, number))
    made = [draw(calls(message_id, number)) for number in range(draw(st.integers(0, 3)))]
    for call in made:
        if draw(st.booleans()):
            running = replace(call, status="running", result=None, error=None)
            chunks.append(Chunk("tool_call", message_id, tool_call=running))
    return [*chunks, *(Chunk("tool_result", message_id, tool_call=call) for call in made)]


@st.composite
def endings(draw: st.DrawFn) -> Ending:
    usage = Usage(input_tokens=draw(st.none() | st.integers(0, 9)), output_tokens=3, requests=1)
    reason = draw(
        st.none() | st.sampled_from(["stop", "length", "content_filter", "tool_call", "odd"])
    )
    problem = Problem(500, "failed", "Something went wrong.")
    message_id = new_id()
    waiting = tuple(
        replace(draw(calls(message_id, number)), status="awaiting_approval", result=None)
        for number in range(draw(st.integers(1, 2)))
    )
    return draw(
        st.sampled_from(
            [
                Ending("complete", reason, usage, draw(st.none() | st.just(0.25))),
                Ending("parked", reason, usage, waiting=waiting),
                Ending("interrupted"),
                Ending("interrupted", problem=problem),
                Ending("failed", problem=problem),
            ]
        )
    )


@st.composite
def runs(draw: st.DrawFn) -> Told:
    written = draw(st.lists(steps(), max_size=3))
    return Told([chunk for step in written for chunk in step], draw(endings()))


@st.composite
def batches(draw: st.DrawFn, chunks: Sequence[Chunk]) -> list[Sequence[Chunk]]:
    """The same chunks, as they may arrive together."""
    cuts = sorted(draw(st.sets(st.integers(0, len(chunks)), max_size=5)) | {0, len(chunks)})
    return [chunks[first:last] for first, last in pairwise(cuts)]
