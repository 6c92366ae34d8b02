"""The local LLM as pydantic-ai knows models."""

from __future__ import annotations

from openai import DEFAULT_CONNECTION_LIMITS, DefaultAsyncHttpxClient
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

from .server import MODEL_NAME, LocalServer


class LocalProvider(OpenAIProvider):
    """OpenAI's protocol, but not OpenAI: rows and prices are to say so."""

    @property
    def name(self) -> str:
        return "local"


def model_of(server: LocalServer) -> OpenAIChatModel:
    """The model that a running server serves."""
    # A kept connection fails if the server is just closing it. A new one is cheap here.
    limits = type(DEFAULT_CONNECTION_LIMITS)(max_keepalive_connections=0)
    # Two processes on one machine need no proxy from the environment.
    client = DefaultAsyncHttpxClient(trust_env=False, limits=limits)
    provider = LocalProvider(base_url=server.base_url, api_key="local", http_client=client)
    # The client would try again unseen; chatrecord does so itself, with a row for each attempt.
    provider.client.max_retries = 0
    return OpenAIChatModel(MODEL_NAME, provider=provider)
