"""What counts as personal data, and what stands in its place."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_ai.messages import (
    BinaryContent,
    ModelMessage,
    ModelMessagesTypeAdapter,
    ModelRequest,
    ModelResponse,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)
from pydantic_ai.models import ModelRequestParameters

from chatrecord.hooks import MaskPersonalData
from chatrecord.pydantic_ai.texts import changed_request

CHAT = UUID("01890000-0000-7000-8000-00000000000a")
OTHER = UUID("01890000-0000-7000-8000-00000000000b")
PERSONAL = {
    "EMAIL": ["ann@example.com", "Ann.O'Neil+x@mail.example.co.uk", "jörg@müller.example"],
    "PHONE": [
        "+49 171 1234567",
        "+1-202-555-0143",
        "(202) 555-0143",
        "202-555-0143",
        "0171/1234567",
        "+44 20 7946 0958",
        "0033 1 23 45 67 89",
        "+491711234567",
        "+49 (0)30 901820",
    ],
    "IBAN": ["DE89370400440532013000", "DE89 3704 0044 0532 0130 00", "gb82west12345698765432"],
    "CREDIT_CARD": ["4111111111111111", "4111 1111 1111 1111", "3782-822463-10005"],
    "IP": ["192.168.17.4", "2001:db8::ff00:42:8329", "::1"],
}
HARMLESS = [
    "01890000-0000-7000-8000-000000000000",
    "call_4111111111111111",
    "2026-11-22T14:58:10",
    "2026-11-22",
    "14:58:10",
    "version 1.2.3",
    "1.2.3.4.5",
    "999.999.999.999",
    "order A-1001",
    "1234567890123456",
    "3.14159265",
    "DE88370400440532013000",
    "std::vector",
    "10:30",
    "@handle",
    "a @ b",
    "20 000 000",
    "12.50 EUR",
    "0.5",
    "2,000,000",
    "02.03.2024",
    "02/03/2024 at 10",
    "0.8414709848078965",
]


@pytest.mark.parametrize(("name", "value"), [(n, v) for n, them in PERSONAL.items() for v in them])
@pytest.mark.parametrize(
    "around", ["{}", "Call {}, please.", "say {} now", "({})", '"{}":', "a {}\nb"]
)
def test_personal_data_is_found(name: str, value: str, around: str) -> None:
    masked = MaskPersonalData().masked(CHAT, around.format(value))
    before, after = around.split("{}")
    assert masked.startswith(f"{before}[{name}_")
    assert masked.endswith(f"]{after}")
    assert masked.count("[") == 1


@pytest.mark.parametrize("value", [value for them in PERSONAL.values() for value in them])
def test_personal_data_is_found_among_other_numbers(value: str) -> None:
    for around in ("2 {} 3", "1 2 3 4 5 {}", "{} {}"):
        assert value not in MaskPersonalData().masked(CHAT, around.replace("{}", value))


@pytest.mark.parametrize("text", HARMLESS)
def test_what_only_looks_like_it_is_left_alone(text: str) -> None:
    assert MaskPersonalData().masked(CHAT, text) == text


def test_a_placeholder_is_the_same_for_the_same_value_of_a_chat() -> None:
    one, two = MaskPersonalData(), MaskPersonalData()
    ann, bob = "ann@example.com", "bob@example.com"
    assert one.masked(CHAT, f"{ann} {bob}") == two.masked(CHAT, f"{ann} {bob}")
    assert one.masked(CHAT, ann) != one.masked(CHAT, bob)
    assert one.masked(CHAT, ann) != one.masked(OTHER, ann)


def test_a_placeholder_is_not_masked_again() -> None:
    mask = MaskPersonalData()
    text = " ".join(value for them in PERSONAL.values() for value in them)
    masked = mask.masked(CHAT, text)
    assert mask.masked(CHAT, masked) == masked


def test_rows_without_values_and_answers_with_them_exclude_each_other() -> None:
    with pytest.raises(ValueError, match="Choose one"):
        MaskPersonalData(rows="mask", answers="real")


ANY_VALUE = st.sampled_from([value for them in PERSONAL.values() for value in them])
WORDS = st.builds("say {} now".format, ANY_VALUE) | ANY_VALUE | st.just("4111111111111111").map(int)
NESTED = st.recursive(
    WORDS | st.none() | st.booleans(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(ANY_VALUE | st.just("key"), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(prompt=st.lists(WORDS.map(str), min_size=1, max_size=3), value=NESTED, said=WORDS.map(str))
def test_nothing_personal_is_left_anywhere_in_a_request(
    prompt: list[str], value: object, said: str
) -> None:
    file = BinaryContent(said.encode(), media_type="text/plain")
    messages: list[ModelMessage] = [
        ModelRequest(parts=[UserPromptPart([*prompt, file])], instructions=said),
        ModelResponse(
            parts=[
                ThinkingPart(said, signature="Sig"),
                TextPart(said),
                ToolCallPart("look", {"value": value}, "c1"),
                ToolCallPart("look", '{"escaped": "ann\\u0040example.com"}', "c2"),
            ]
        ),
        ModelRequest(
            parts=[
                ToolReturnPart("look", value, "c1"),
                ToolReturnPart("look", said, "c2"),
                ToolReturnPart("read", file, "c3"),
            ]
        ),
    ]
    before = ModelMessagesTypeAdapter.dump_json(messages)
    mask = MaskPersonalData()

    sent, _ = changed_request(
        messages, ModelRequestParameters(), lambda text: mask.masked(CHAT, text.text)
    )

    text = ModelMessagesTypeAdapter.dump_json(sent).decode()
    files: list[Any] = [sent[0].parts[0].content[-1], sent[2].parts[2].content]  # type: ignore[union-attr,index]
    text += "".join(file.data.decode() for file in files)
    assert [it for them in PERSONAL.values() for it in them if it in text] == []
    assert len(sent[1].parts) == 3, "the reasoning is left out"
    assert ModelMessagesTypeAdapter.dump_json(messages) == before, "the originals stay"
