"""Plain server-sent events for your own clients: each has a name, and JSON data.

event: start         data: {"runId", "status", "createdAt", "questionId"}
event: text          data: {"text"}
event: reasoning     data: {"text"}
event: tool_call     data: {"callId", "name", "arguments"}
event: tool_result   data: {"callId", "name", "status", "result" or "error"}
event: approval      data: {"callId", "name", "arguments"}
event: title         data: {"title"}, if the chat has got one meanwhile
event: end           data: {"status", "finishReason", "usage", "cost", "costSource", "error"}
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby

from chatrecord.records import Chunk, Json, ToolCall
from chatrecord.web.json_bytes import HEADERS, as_bytes, text_of

from .encoder import Ending, Opening, why_without_result


class SSEEncoder:
    """One answer as named events."""

    headers: Mapping[str, str] = HEADERS

    def start(self, opening: Opening) -> bytes:
        """The answer begins."""
        return _event("start", {"chatId": str(opening.chat_id), **opening.metadata()})

    def add(self, chunks: Sequence[Chunk]) -> bytes:
        """Pieces of one kind that come together are one event."""
        return b"".join(self._events(chunks))

    def end(self, ending: Ending) -> bytes:
        """The answer has ended, or waits for approvals."""
        asked = [_event("approval", _asked(call)) for call in ending.waiting]
        return b"".join([*asked, _event("end", ending.metadata())])

    def title(self, title: str) -> bytes:
        """The chat has got a title."""
        return _event("title", {"title": title})

    def _events(self, chunks: Sequence[Chunk]) -> Sequence[bytes]:
        events: list[bytes] = []
        for (kind, _), pieces in groupby(chunks, lambda chunk: (chunk.kind, chunk.message_id)):
            if kind in ("text", "reasoning"):
                said = "".join(piece.text or piece.reasoning for piece in pieces)
                events.append(_event(kind, {"text": said}))
            else:
                events += [_event(kind, _tool_data(piece)) for piece in pieces]
        return events


def _tool_data(chunk: Chunk) -> dict[str, Json]:
    assert chunk.tool_call is not None
    call = chunk.tool_call
    if chunk.kind == "tool_call":
        return _asked(call)
    known: dict[str, Json] = {"callId": call.call_id, "name": call.name, "status": call.status}
    if call.status == "complete":
        return {**known, "result": call.result}
    return {**known, "error": why_without_result(call)}


def _asked(call: ToolCall) -> dict[str, Json]:
    return {"callId": call.call_id, "name": call.name, "arguments": call.arguments}


def _event(name: str, data: Mapping[str, Json]) -> bytes:
    return as_bytes(f"event: {name}\ndata: {text_of(data)}\n\n")
