"""The protocols that recordings are in."""

from __future__ import annotations

from typing import Protocol

from . import anthropic_wire, chat_wire, gemini_wire, responses_wire
from .facts import ResponseFacts, Said
from .recordings import Body, Exchange


class Wire(Protocol):
    """How the raw bodies of a provider are read, and turned from a stream to a whole and back."""

    provider_name: str
    path: str

    def read(self, whole: Body) -> ResponseFacts: ...

    def whole_of(self, stream: str) -> Body: ...

    def stream_of(self, whole: Body) -> str: ...

    def said(self, asked: Body) -> list[Said]:
        """What a request repeats of the chat."""
        ...

    def tools(self, asked: Body) -> list[tuple[str, str, Body]]:
        """The name, the description and the schema of each tool it offers."""
        ...

    def settings(self, asked: Body) -> Body:
        """The model settings with which pydantic-ai asks for the same."""
        ...

    def refused(self, body: Body) -> str:
        """The words of a refusal."""
        ...


WIRES: tuple[Wire, ...] = (chat_wire, responses_wire, anthropic_wire, gemini_wire)


def wire_of(exchange: Exchange) -> Wire:
    return next(wire for wire in WIRES if exchange.path.startswith(wire.path))
