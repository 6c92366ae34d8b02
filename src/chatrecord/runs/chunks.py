"""Chunks as readers get them, and as the journal keeps them."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any, cast
from uuid import UUID

from chatrecord.llm.stored_part import StoredPart
from chatrecord.records import Chunk, ChunkKind, Json, ProviderCall, Source, ToolInput
from chatrecord.store.changes import JournalEntry
from chatrecord.text.partial_json import PartialJson

LONGEST_PIECE = 64_000
"""Characters of a chunk, and of its entry in the journal: a database takes no row of any size."""


class ChunkMaker:
    """Makes the chunks of some answers. It knows how far each typed output has arrived."""

    def __init__(self) -> None:
        self.seen: Counter[tuple[UUID, str, str]] = Counter()
        """How many characters there were of each message, kind and call."""
        self._outputs: dict[tuple[UUID, str], PartialJson] = {}

    def grown(
        self,
        message_id: UUID,
        kind: str,
        news: str,
        *,
        call_id: str = "",
        name: str = "",
        key: str | None = None,
    ) -> Chunk:
        """The next characters of something that grows."""
        self.seen[message_id, kind, call_id] += len(news)
        if kind == "text":
            return Chunk("text", message_id, text=news)
        if kind == "reasoning":
            return Chunk("reasoning", message_id, reasoning=news)
        called = ToolInput(call_id, name) if call_id else None
        if kind == "tool_input":
            return Chunk("tool_input", message_id, delta=news, tool_input=called)
        growing = self._outputs.setdefault((message_id, call_id), PartialJson(key))
        return Chunk("output", message_id, output=growing.add(news), delta=news, tool_input=called)

    def read(self, entry: JournalEntry) -> Chunk:
        """The chunk of an entry in the journal."""
        kind, said = entry.piece
        payload = cast(dict[str, Any], entry.payload)
        data = payload.get("data")
        if isinstance(data, dict):
            return _whole(kind, entry.message_id, data)
        called = {name: str(payload.get(name, "")) for name in ("call_id", "name")}
        return self.grown(entry.message_id, kind, said, key=payload.get("key"), **called)

    def payload_of(self, chunk: Chunk) -> Json:
        """A chunk as the journal keeps it."""
        call, source, called = chunk.provider_call, chunk.source, chunk.tool_input
        if call is not None:
            data = {
                "call_id": call.call_id,
                "name": call.name,
                "arguments": call.arguments,
                "status": call.status,
                "result": call.result,
            }
            return {"kind": chunk.kind, "data": data}
        if source is not None:
            about: Json = {
                "url": source.url, "title": source.title, "document_id": source.document_id
            }  # fmt: skip
            return {"kind": chunk.kind, "data": about}
        payload: dict[str, Json] = {
            "kind": chunk.kind, "text": chunk.text or chunk.reasoning or chunk.delta
        }  # fmt: skip
        if called is not None:
            payload |= {"call_id": called.call_id, "name": called.name}
        output = self._outputs.get((chunk.message_id, called.call_id if called else ""))
        if chunk.kind == "output" and output is not None and output.key is not None:
            payload["key"] = output.key
        return payload


def made(part: StoredPart, message_id: UUID) -> Chunk:
    """The chunk of something that came as a whole."""
    kind = cast(ChunkKind, part.kind)
    return Chunk(
        kind, message_id, provider_call=part.provider_call, source=part.source, file=part.file
    )


def part_of(chunk: Chunk) -> StoredPart | None:
    """What came as a whole, again."""
    if chunk.provider_call is None and chunk.source is None and chunk.file is None:
        return None
    kind: Any = chunk.kind
    return StoredPart(kind, provider_call=chunk.provider_call, source=chunk.source, file=chunk.file)


def is_journaled(chunk: Chunk) -> bool:
    """Whether the journal stores it. A tool call, a file and a large result wait for a commit."""
    if chunk.tool_call is not None or chunk.file is not None:
        return False
    result = chunk.provider_call.result if chunk.provider_call else None
    return result is None or len(json.dumps(result)) <= LONGEST_PIECE


def _whole(kind: str, message_id: UUID, data: dict[str, Any]) -> Chunk:
    if kind == "source":
        source = Source(data.get("url"), data.get("title"), data.get("document_id"))
        return Chunk("source", message_id, source=source)
    call = ProviderCall(
        str(data.get("call_id")),
        str(data.get("name")),
        data.get("arguments"),
        data.get("status", "running"),
        data.get("result"),
    )
    return Chunk(cast(ChunkKind, kind), message_id, provider_call=call)
