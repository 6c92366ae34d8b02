"""What an answer is made of, read from its stored content."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_ai.messages import (
    ModelResponse,
    ModelResponsePart,
    NativeToolCallPart,
    NativeToolReturnPart,
    TextPart,
    ThinkingPart,
    ToolCallPart,
)

from chatrecord.ids import new_id
from chatrecord.llm.stored_parts import output_of, stored_parts
from chatrecord.pydantic_ai.growing_parts import Outputs, pieces_of
from chatrecord.pydantic_ai.messages import body_of
from chatrecord.records import Json, Message, Tokens
from chatrecord.runs.chunk_buffer import ChunkBuffer
from chatrecord.text.partial_json import PartialJson, partial_json

WORDS = st.text("ab \n🤔", max_size=3)
PARTS = st.lists(
    st.builds(TextPart, WORDS)
    | st.builds(ThinkingPart, WORDS)
    | st.builds(ToolCallPart, st.just("add"), st.just({"a": 1}), st.sampled_from(["c1", "c2"]))
    | st.builds(NativeToolCallPart, st.just("find"), st.just({"q": 1}), st.just("s1"))
    | st.builds(NativeToolReturnPart, st.just("find"), st.just(["x"]), st.just("s1")),
    max_size=6,
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=5,
)


def message_of(parts: list[ModelResponsePart], **changes: Any) -> Message:
    body, now = body_of(ModelResponse(parts)), datetime.now(UTC)
    known: dict[str, Any] = {"text": body.text, "reasoning": body.reasoning, **changes}
    return Message(
        id=new_id(), chat_id=new_id(), run_id=None, seq=1, role="assistant", status="complete",
        content=body.content, format=None, model=None, provider=None, finish_reason=None,
        tokens=Tokens(), created_at=now, finished_at=now, **known,
    )  # fmt: skip


@given(PARTS)
def test_the_stored_parts_are_those_that_were_streamed(parts: list[ModelResponsePart]) -> None:
    """In one piece, as a reader gets them who was not there."""
    buffer, chunks = ChunkBuffer(is_early=False), list[Any]()
    buffer.deliver = chunks.extend
    message = message_of(parts)
    buffer.watch(message.id, lambda: pieces_of(ModelResponse(parts), Outputs()))
    buffer.unwatch()
    buffer.complete(message.id, message.content)
    buffer.hand_on(buffer.before(None), since=0)

    kinds = [part.kind for part in stored_parts(message) if part.kind != "call"]
    once = [kind for place, kind in enumerate(kinds) if not _is_repeated(kinds, place)]
    assert [chunk.kind for chunk in chunks if chunk.kind != "tool_input"] == once
    text = "".join(part.text for part in stored_parts(message) if part.kind == "text")
    assert text == message.text == "".join(chunk.text for chunk in chunks)


def _is_repeated(kinds: list[str], place: int) -> bool:
    """Calls of one id are one call."""
    return kinds[place].startswith("provider") and kinds[place] in kinds[:place]


def test_a_text_that_is_not_that_of_its_parts_comes_first() -> None:
    call = NativeToolCallPart("find", {"q": 1}, "s1")
    message = message_of([TextPart("a"), call, TextPart("b")], text="other")
    assert [(part.kind, part.text) for part in stored_parts(message)] == [
        ("text", "other"), ("provider_call", ""),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("outputs", "value"),
    [({}, None), ({"give": None}, {"response": 5}), ({"give": "response"}, 5), ({"": None}, [1])],
)
def test_the_output_is_a_call_or_the_text(outputs: dict[str, str | None], value: Json) -> None:
    message = message_of([TextPart("[1]"), ToolCallPart("give", '{"response": 5}', "c1")])
    assert output_of(stored_parts(message), outputs) == value


@given(VALUES, st.sampled_from([None, "response"]), st.booleans())
def test_json_is_read_while_it_arrives(value: Json, key: str | None, fenced: bool) -> None:
    text = json.dumps(value if key is None else {key: value})
    text = f"```json\n{text}\n```" if fenced else text
    growing = PartialJson(key)
    states = [growing.add(character) for character in text]
    assert states[-1] == growing.value == partial_json(text, key) == value


def test_what_cannot_be_read_is_nothing() -> None:
    assert partial_json("no JSON") is None
    assert partial_json("") is None
