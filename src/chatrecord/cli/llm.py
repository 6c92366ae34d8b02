"""Which LLM talks: the one asked for, that of a key in the environment, or the local one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from chatrecord.local import INSTRUCTIONS, MODEL_NAME, WINDOW, LocalServer
from chatrecord.store.window import Window

if TYPE_CHECKING:
    from pydantic_ai.models import Model

    from .screen import Screen

LOCAL = "local"

PROVIDERS = {
    "OPENAI_API_KEY": "openai:gpt-6.1-terra",
    "ANTHROPIC_API_KEY": "anthropic:claude-sonnet-5-5",
    "GOOGLE_API_KEY": "google:gemini-3.8-flash",
    "GEMINI_API_KEY": "google:gemini-3.8-flash",
    "OPENROUTER_API_KEY": "openrouter:anthropic/claude-sonnet-5.5",
}
"""The model for each key: a middle one of its provider."""


@dataclass(frozen=True, slots=True)
class Choice:
    """An open LLM, and its default options for a chat."""

    llm: str | Model
    name: str
    instructions: str | None = None
    window: Window = field(default_factory=Window)

    @property
    def is_local(self) -> bool:
        """Whether it runs on this machine, so that an answer costs nothing."""
        return not isinstance(self.llm, str)


@contextmanager
def open_llm(asked: str | None, screen: Screen) -> Iterator[Choice]:
    """The LLM to talk to. The local one is started here, and stopped at the end."""
    name = asked or model_of_environment()
    if name == LOCAL:
        with _local(screen) as choice:
            yield choice
    else:
        yield Choice(name, name)


def model_of_environment() -> str:
    """The model string for the first key that is set, or `local`."""
    keys = (model for key, model in PROVIDERS.items() if os.environ.get(key))
    return next(keys, LOCAL)


@contextmanager
def _local(screen: Screen) -> Iterator[Choice]:
    server = LocalServer()
    try:
        with screen.busy(f"Loading {MODEL_NAME} on this machine ..."):
            server.launch()
            # Importing takes as long as loading does, so both are done at once.
            from chatrecord.local.model import model_of  # noqa: PLC0415

            server.wait_until_ready()
            model = model_of(server)
        yield Choice(model, MODEL_NAME, INSTRUCTIONS, WINDOW)
    finally:
        server.stop()
