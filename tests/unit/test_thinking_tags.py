"""Reasoning in tags is parted from the text wherever the stream is cut."""

from __future__ import annotations

from itertools import combinations
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_ai._parts_manager import ModelResponsePartsManager
from pydantic_ai._thinking_part import split_content_into_text_and_thinking
from pydantic_ai.messages import ModelResponsePart, TextPart, ThinkingPart
from pydantic_ai.models import ModelRequestParameters

from chatrecord.pydantic_ai.thinking_tags import TagParting

TAGS = ("<think>", "</think>")
TEXT = st.text("ab <>/ \n", max_size=5)
BLOCKS = st.tuples(TEXT, st.builds("<think>{}</think>".format, TEXT))
ANSWERS = st.lists(BLOCKS, max_size=3).map(lambda blocks: "".join(a + b for a, b in blocks))


@given(ANSWERS, TEXT, st.data())
def test_an_answer_is_parted_as_pydantic_ai_parts_a_whole_one(
    blocks: str, end: str, data: st.DataObject
) -> None:
    answer = blocks + end
    places = data.draw(st.sets(st.integers(0, len(answer))))
    whole = split_content_into_text_and_thinking(answer, TAGS)
    assert said(parted(cut(answer, sorted(places)))) == said(whole)


@pytest.mark.parametrize("drops_space", [False, True])
def test_any_two_cuts_of_an_answer_make_no_difference(drops_space: bool) -> None:
    answer = "<think>\nHm </thin.\n</think>\n\nTravel <b> policy<"
    expected = said(parted([answer], drops_space=drops_space))
    space = "" if drops_space else "\n\n"
    assert expected == [("thinking", "\nHm </thin.\n"), ("text", f"{space}Travel <b> policy<")]
    for places in combinations(range(len(answer) + 1), 2):
        assert said(parted(cut(answer, places), drops_space=drops_space)) == expected
    assert said(parted(list(answer), drops_space=drops_space)) == expected


def test_reasoning_that_does_not_end_is_reasoning() -> None:
    """As it is where the tag is a chunk of its own: what was shown cannot be taken back."""
    assert said(parted(["<thi", "nk>Hm, </thi"])) == [("thinking", "Hm, </thi")]


def test_no_text_is_shown_before_it_is_known_to_be_no_tag() -> None:
    shown = [said(parts) for parts in states(["a <th", "in", "k>b</t", "hink>"])]
    a, b = ("text", "a "), ("thinking", "b")
    assert shown == [[a], [a], [a, b], [a, b], [a, b]]


def test_streams_that_know_no_tags_keep_them() -> None:
    assert said(parted(["a <think>b</think>"], tags=None)) == [("text", "a <think>b</think>")]


def cut(text: str, places: Any) -> list[str]:
    ends = [*places, len(text)]
    return [text[start:end] for start, end in zip([0, *ends], ends, strict=False) if end > start]


def parted(
    pieces: list[str], *, drops_space: bool = False, tags: tuple[str, str] | None = TAGS
) -> list[ModelResponsePart]:
    return states(pieces, drops_space=drops_space, tags=tags)[-1]


def states(
    pieces: list[str], *, drops_space: bool = False, tags: tuple[str, str] | None = TAGS
) -> list[list[ModelResponsePart]]:
    """The parts of a stream after each piece, and after its end."""
    manager = ModelResponsePartsManager(ModelRequestParameters())
    parting = TagParting(SimpleNamespace(_parts_manager=manager))  # type: ignore[arg-type]
    found = []
    for piece in pieces:
        list(
            manager.handle_text_delta(
                vendor_part_id="content",
                content=piece,
                thinking_tags=tags,
                ignore_leading_whitespace=drops_space,
            )
        )
        found.append(manager.get_parts())
    parting.rest()
    return [*found, manager.get_parts()]


def said(parts: Any) -> list[tuple[str, str]]:
    """What the parts say; empty ones say nothing, and texts beside each other are one."""
    found: list[tuple[str, str]] = []
    for part in parts:
        assert isinstance(part, TextPart | ThinkingPart)
        if part.content:
            found.append((part.part_kind, part.content))
    return found
