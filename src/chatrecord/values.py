"""What an LLM port and the hooks both speak of."""

from __future__ import annotations

from dataclasses import dataclass

from chatrecord.records import Json


@dataclass(frozen=True, slots=True)
class Call:
    """A tool call as the model asked for it."""

    call_id: str
    name: str
    arguments: Json


@dataclass(frozen=True, slots=True)
class Target:
    """Where a request goes: for its row, and to know its price beforehand."""

    model: str | None
    provider: str | None
    streamed: bool
