"""Documented code runs against providers on this machine, in an empty folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rerouted import reroute_everything

from .provider import Server, serving


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    with serving() as server:
        yield server


@pytest.fixture
def keys(server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The environment a reader would have, but for where the requests go."""
    for provider in ("OPENAI", "ANTHROPIC", "GOOGLE", "OPENROUTER"):
        monkeypatch.setenv(f"{provider}_API_KEY", "sk-documented-0000000000")
    monkeypatch.setenv("OLLAMA_BASE_URL", f"{server.address}/v1")
    reroute_everything(monkeypatch, server.address)
    before = len(server.faults)
    yield
    assert server.faults[before:] == []
