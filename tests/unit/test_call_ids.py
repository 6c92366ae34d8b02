"""Ids of tool calls where no scripted provider checks them."""

from __future__ import annotations

import re

from pydantic_ai.messages import ModelMessage, ModelRequest, ModelResponse
from pydantic_ai.messages import ToolCallPart as Call
from pydantic_ai.messages import ToolReturnPart as Result
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.models.test import TestModel
from pydantic_ai.providers.openai import OpenAIProvider

from chatrecord.pydantic_ai.call_ids import sendable_ids, unique_ids


def ids_of(messages: list[ModelMessage]) -> list[str]:
    parts = [part for message in messages for part in message.parts]
    return [part.tool_call_id for part in parts if isinstance(part, Call | Result)]


def test_mistral_gets_nine_letters_and_digits_also_by_an_address_of_its_own() -> None:
    provider = OpenAIProvider(base_url="https://api.mistral.ai/v1", api_key="none")
    model = OpenAIChatModel("mistral-large", provider=provider)
    history = [
        ModelResponse(parts=[Call("a", "{}", "call_1"), Call("b", "{}", "call_2")]),
        ModelRequest(parts=[Result("a", "A", "call_1"), Result("b", "B", "call_2")]),
    ]

    first, second, *results = ids_of(sendable_ids(history, model))

    assert re.fullmatch("[a-zA-Z0-9]{9}", first)
    assert re.fullmatch("[a-zA-Z0-9]{9}", second)
    assert first != second
    assert results == [first, second]
    assert ids_of(sendable_ids(history, model)) == [first, second, first, second]


def test_two_calls_of_one_id_get_their_results_in_order() -> None:
    history = [
        ModelResponse(parts=[Call("a", "{}", "call_1"), Call("a", "{}", "call_1")]),
        ModelRequest(parts=[Result("a", "first", "call_1"), Result("a", "second", "call_1")]),
    ]

    assert ids_of(unique_ids(history, is_going_on=False)) == [
        "call_1",
        "call_1_2",
        "call_1",
        "call_1_2",
    ]


def test_a_history_with_valid_ids_is_sent_as_it_is() -> None:
    history = [
        ModelResponse(parts=[Call("a", "{}", "toolu_01")], provider_name="anthropic"),
        ModelRequest(parts=[Result("a", "A", "toolu_01")]),
    ]

    sent = sendable_ids(history, TestModel())

    assert all(new is old for new, old in zip(sent, history, strict=True))


def test_calls_that_a_run_goes_on_from_keep_their_ids() -> None:
    history: list[ModelMessage] = [
        ModelResponse(parts=[Call("a", "{}", "call_1")]),
        ModelRequest(parts=[Result("a", "A", "call_1")]),
        ModelResponse(parts=[Call("b", "{}", "call_1")]),
    ]

    assert ids_of(unique_ids(history, is_going_on=True)) == ["call_1_2", "call_1_2", "call_1"]
