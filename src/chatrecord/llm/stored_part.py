"""One part of an answer, as readers without an LLM library see it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from chatrecord.records import Attached, ProviderCall, Source

PartKind = Literal[
    "text", "reasoning", "call", "provider_call", "provider_result", "source", "file"
]


@dataclass(frozen=True, slots=True)
class StoredPart:
    """A part of an answer. Text and reasoning have the blank line that stands before them.

    `text` of a `call` is the JSON of its arguments.
    """

    kind: PartKind
    text: str = ""
    call_id: str = ""
    name: str = ""
    provider_call: ProviderCall | None = None
    source: Source | None = None
    file: Attached | None = None

    @property
    def is_made(self) -> bool:
        """Whether it is something that came as a whole: no words, and no call of a tool of ours."""
        return self.kind not in ("text", "reasoning", "call")

    @property
    def identity(self) -> tuple[str, str]:
        """What distinguishes it from others of its message."""
        name = self.call_id
        if self.provider_call is not None:
            name = self.provider_call.call_id
        elif self.source is not None:
            name = self.source.url or self.source.document_id or self.source.title or ""
        elif self.file is not None:
            name = self.file.hash or self.file.url or ""
        return self.kind, name
