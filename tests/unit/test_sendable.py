"""Reasoning goes back only to the API that understands it."""

from __future__ import annotations

from dataclasses import replace

from pydantic_ai.messages import ModelMessage, ModelRequest, ModelResponse, TextPart, ThinkingPart
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.models.openrouter import OpenRouterModel
from pydantic_ai.providers.openai import OpenAIProvider
from pydantic_ai.providers.openrouter import OpenRouterProvider

from chatrecord.pydantic_ai.sendable import sendable


def answered(reasoning: ThinkingPart) -> list[ModelMessage]:
    answer = ModelResponse(parts=[reasoning, TextPart("Noon.")])
    return [ModelRequest.user_text_prompt("What time is it?"), answer]


def test_chat_completions_get_no_id_of_a_reasoning_item() -> None:
    model = OpenAIChatModel("gpt-4o", provider=OpenAIProvider(api_key="none"))
    history = answered(ThinkingPart("Hm.", id="rs_1", signature="sealed", provider_name="openai"))

    reasoning = sendable(history, model)[1].parts[0]

    assert reasoning == ThinkingPart("Hm.", provider_name="openai")


def test_a_field_of_chat_completions_is_kept() -> None:
    model = OpenAIChatModel("deepseek", provider=OpenAIProvider(api_key="none"))
    history = answered(ThinkingPart("Hm.", id="reasoning_content", provider_name="openai"))

    assert sendable(history, model) == history


def test_openrouter_gets_its_reasoning_back_with_id_and_signature() -> None:
    model = OpenRouterModel("openai/gpt-5", provider=OpenRouterProvider(api_key="none"))
    reasoning = ThinkingPart("Hm.", id="rs_1", signature="sealed", provider_name="openrouter")
    history = answered(reasoning)

    assert sendable(history, model) == history


def test_a_field_of_one_server_is_not_sent_to_another() -> None:
    deepseek = OpenAIProvider(base_url="https://api.deepseek.com", api_key="none")
    history = answered(ThinkingPart("Hm.", id="reasoning_content", provider_name="openai"))
    answer = history[1]
    assert isinstance(answer, ModelResponse)
    history[1] = replace(answer, provider_url="https://api.deepseek.com/")

    own = sendable(history, OpenAIChatModel("deepseek-chat", provider=deepseek))
    other = sendable(history, OpenAIChatModel("gpt-4o", provider=OpenAIProvider(api_key="none")))

    assert own == history
    assert other[1].parts[0] == ThinkingPart("Hm.", provider_name="openai")
