"""A window holds the end of a chat, and begins where a provider can begin to read."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import cast
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatrecord import Message, Window
from chatrecord.records import Role, Tokens
from chatrecord.store.token_estimates import estimate_tokens

ROLES = {"u": "user", "a": "assistant", "t": "tool", "s": "system"}


def chat(roles: str, characters: int = 4) -> list[Message]:
    now, some_id = datetime.now(UTC), uuid4()
    return [
        Message(
            id=some_id,
            chat_id=some_id,
            run_id=None,
            seq=seq,
            role=cast(Role, ROLES[role]),
            status="complete",
            text="x" * characters,
            reasoning=None,
            content={"parts": [{"content": ["x" * characters]}]},
            format=None,
            model=None,
            provider=None,
            finish_reason=None,
            tokens=Tokens(),
            created_at=now,
            finished_at=now,
        )
        for seq, role in enumerate(roles)
    ]


def roles_of(messages: Sequence[Message]) -> str:
    return "".join(message.role[0] for message in messages)


@pytest.mark.parametrize(
    ("history", "messages", "kept"),
    [
        ("", 4, ""),
        ("uaua", 4, "uaua"),
        ("uauaua", 4, "uaua"),
        ("uauaua", 3, "ua"),
        ("uatata", 4, "uatata"),
        ("uauatata", 4, "uatata"),
        ("uatatau", 3, "u"),
        ("aaau", 3, "u"),
        ("aaa", 3, ""),
    ],
)
def test_a_window_is_the_last_rounds_that_fit(history: str, messages: int, kept: str) -> None:
    assert roles_of(Window(messages=messages).cut(chat(history))) == kept


def test_a_window_is_cut_by_tokens_too() -> None:
    history = chat("uauauaua", characters=400)

    kept = Window(tokens=450).cut(history)

    assert roles_of(kept) == "uaua"
    assert estimate_tokens(kept) == 400


def test_results_of_tools_count() -> None:
    assert estimate_tokens(chat("t", characters=4000)) == 1000


@given(st.text("uat", max_size=40), st.integers(1, 12), st.integers(1, 40))
def test_a_window_is_an_end_of_the_chat_and_begins_with_the_user(
    history: str, messages: int, tokens: int
) -> None:
    kept = Window(messages=messages, tokens=tokens).cut(chat(history))

    assert history.endswith(roles_of(kept))
    assert not kept or kept[0].role == "user"
    later = roles_of(kept)[1:]
    if "u" in later:
        assert len(kept) <= messages
        assert estimate_tokens(kept) <= tokens


@pytest.mark.parametrize("nothing", [{"messages": 0}, {"tokens": -1}])
def test_a_window_of_nothing_is_refused(nothing: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="from 1 on"):
        Window(**nothing)


def test_all_that_is_sent_is_counted() -> None:
    """Arguments of tools, typed answers and files as well as what is said; not dates and ids."""
    (question, answer) = chat("ua", characters=0)
    arguments = replace(
        answer,
        content={
            "timestamp": "2026-11-29T12:00:00Z",
            "parts": [
                {"part_kind": "tool-call", "tool_call_id": "c1", "args": {"body": "y" * 400}}
            ],
        },
    )
    stored = {"attachment": "a" * 64, "size": 900_000, "name": None}
    picture = {"kind": "binary", "media_type": "image/png", "data": stored}
    sheet = {"kind": "binary", "media_type": "text/csv", "data": "eHh4" * 100}
    files = replace(question, content={"parts": [{"content": ["What?", picture, sheet]}]})

    assert estimate_tokens([arguments]) == 100
    assert estimate_tokens([files]) == (5 + 1_500 * 4 + 300) // 4


def test_an_estimator_of_the_application_counts_instead() -> None:
    history = chat("uauaua")

    window = Window(tokens=40, estimator=lambda message: 20)

    assert window.cut(history) == history[-2:]


def test_no_message_is_counted_twice_and_none_before_the_window() -> None:
    """A chat of 2,000 messages took a quarter of a second: each start was counted to the end."""
    counted: list[int] = []

    def twenty(message: Message) -> int:
        counted.append(message.seq)
        return 20

    kept = Window(messages=2_000, tokens=400, estimator=twenty).cut(chat("ua" * 1_000))

    assert len(kept) == 20
    assert counted == list(range(1_999, 1_978, -1))
