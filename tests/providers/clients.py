"""The real models, over the providers' own clients, whose requests go to an address of ours."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx2
from anthropic import AsyncAnthropic
from anthropic import DefaultAsyncHttpxClient as AnthropicHttp
from google.genai.types import HttpRetryOptions
from openai import AsyncOpenAI
from openai import DefaultAsyncHttpxClient as OpenAIHttp
from pydantic_ai.models import Model
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.google import GoogleModel
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.google import GoogleProvider
from pydantic_ai.providers.openai import OpenAIProvider

from rerouted import Rerouted


@dataclass(frozen=True)
class Provider:
    """A provider's protocol, one of its models whose price is known, and how that one reasons."""

    name: str
    system: str
    model_name: str
    key: str
    thinks: dict[str, Any]
    base_url: str = "https://api.openai.com/v1"
    """Where its client sends requests, if it is that of OpenAI."""

    @property
    def repeats_reasoning(self) -> bool:
        """Whether a request carries earlier reasoning with its signature."""
        return self.name != "openai-chat"

    @property
    def signs_thoughts(self) -> bool:
        """Whether the signature stands on the reasoning; Gemini's stands on what it led to."""
        return self.name in ("openai-responses", "anthropic")


ConnectModel = Callable[..., Model]


@asynccontextmanager
async def model_clients(address: str) -> AsyncIterator[ConnectModel]:
    """`connect(provider, max_retries=0)`: its real model, through its real client."""
    async with AsyncExitStack() as clients:

        def connect(provider: Provider, *, max_retries: int = 0) -> Model:
            return CONNECTIONS[provider.name](provider, address, max_retries, clients)

        yield connect


def anthropic(provider: Provider, address: str, max_retries: int, clients: AsyncExitStack) -> Model:
    client = AsyncAnthropic(
        api_key=provider.key,
        max_retries=max_retries,
        http_client=AnthropicHttp(transport=Rerouted(address)),
    )
    clients.push_async_callback(client.close)
    return AnthropicModel(provider.model_name, provider=AnthropicProvider(anthropic_client=client))


def openai(provider: Provider, address: str, max_retries: int, clients: AsyncExitStack) -> Model:
    client = AsyncOpenAI(
        base_url=provider.base_url,
        api_key=provider.key,
        max_retries=max_retries,
        http_client=OpenAIHttp(transport=Rerouted(address)),
    )
    clients.push_async_callback(client.close)
    kind = OpenAIChatModel if provider.name == "openai-chat" else OpenAIResponsesModel
    return kind(provider.model_name, provider=OpenAIProvider(openai_client=client))


def gemini(provider: Provider, address: str, max_retries: int, clients: AsyncExitStack) -> Model:
    http = httpx2.AsyncClient(transport=Rerouted(address), timeout=60)
    clients.push_async_callback(http.aclose)
    retries = HttpRetryOptions(attempts=max_retries + 1, initial_delay=0.01, max_delay=0.01)
    google = GoogleProvider(api_key=provider.key, http_client=http, retry_options=retries)
    return GoogleModel(provider.model_name, provider=google)


CONNECTIONS = {
    "openai-chat": openai,
    "openai-responses": openai,
    "anthropic": anthropic,
    "gemini": gemini,
}
