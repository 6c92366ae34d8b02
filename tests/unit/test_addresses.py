"""Who is asked is known by the address, whatever a client or a server calls itself."""

from __future__ import annotations

import pytest

from chatrecord.spending.addresses import provider_at


@pytest.mark.parametrize(
    ("name", "address", "provider"),
    [
        ("openai", "https://api.openai.com/v1/", "openai"),
        ("openai", "https://us.api.openai.com/v1/", "openai"),
        ("openai", "https://api.groq.com/openai/v1/", "groq"),
        ("openai", "https://openrouter.ai/api/v1", "openrouter"),
        ("openai", "https://api.z.ai/api/paas/v4", "zai"),
        ("openai", "https://generativelanguage.googleapis.com/v1beta/openai/", "google"),
        ("xai", "https://api.x.ai/v1", "xai"),
        ("google-cloud", "https://us-central1-aiplatform.googleapis.com", "google-cloud"),
        ("anthropic", "https://us-east5-aiplatform.googleapis.com/v1", "google"),
        ("bedrock", "https://bedrock-runtime-fips.us-east-1.amazonaws.com", "bedrock"),
        ("azure", "https://ours.openai.azure.com/openai/v1", "azure"),
        ("openai", "https://api.moonshot.ai/v1", "moonshotai"),
        ("mistral", "https://codestral.mistral.ai/v1", "mistral"),
        ("openai", "https://gateway-us.pydantic.dev/proxy/openai", "openai"),
        ("anthropic", "http://127.0.0.1:4000", "127.0.0.1:4000"),
        ("openai", "https://me:secret@llm.example.com/v1", "llm.example.com"),
        ("openai", "https://api.openai.com.example.com/v1", "api.openai.com.example.com"),
        ("google", "http://[::1]:8080/v1beta", "[::1]:8080"),
        ("ollama", "http://localhost:11434/v1", "ollama"),
        ("my-openai-proxy", "https://llm.example.com/v1", "my-openai-proxy"),
        ("openai", None, "openai"),
        ("test", None, "test"),
    ],
)
def test_the_provider_goes_by_the_address(name: str, address: str | None, provider: str) -> None:
    assert provider_at(name, address) == provider
