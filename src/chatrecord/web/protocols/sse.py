"""Plain server-sent events for your own clients: each has a name, and JSON data.

event: start           data: {"runId", "status", "createdAt", "questionId"}
event: text            data: {"text"}
event: reasoning       data: {"text"}
event: output          data: {"output"}, the typed output as far as it has arrived
event: tool_input      data: {"callId", "name", "delta"}, more JSON of the arguments
event: tool_call       data: {"callId", "name", "arguments"}
event: tool_result     data: {"callId", "name", "status", "result" or "error"}
event: provider_call   data: {"callId", "name", "arguments"}
event: provider_result data: {"callId", "name", "status", "result" or "error"}
event: source          data: {"url", "title", "documentId"}
event: file            data: {"mediaType", "filename", "url"}
event: approval        data: {"callId", "name", "arguments"}
event: restart         data: {"characters"}, so many of the text so far are void: drop the last ones
event: title           data: {"title"}, if the chat has got one meanwhile
event: end             data: {"status", "finishReason", "usage", "cost", "costSource", "error"}
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import groupby
from uuid import UUID

from chatrecord.records import Chunk, Json, ProviderCall, ToolCall
from chatrecord.web.json_bytes import HEADERS, as_bytes, text_of

from .encoder import FAILED_CALL, Ending, Opening, file_json, source_json, why_without_result


class SSEEncoder:
    """One answer as named events."""

    headers: Mapping[str, str] = HEADERS

    def __init__(self) -> None:
        self._files: str | None = None
        self._sent: Counter[UUID] = Counter()

    def start(self, opening: Opening) -> bytes:
        """The answer begins."""
        self._files = opening.files
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
        for (kind, message_id), pieces in groupby(
            chunks, lambda chunk: (chunk.kind, chunk.message_id)
        ):
            if kind in ("text", "reasoning"):
                said = "".join(piece.text or piece.reasoning for piece in pieces)
                self._sent[message_id] += len(said) if kind == "text" else 0
                events.append(_event(kind, {"text": said}))
            elif kind == "restart":
                events.append(_event(kind, {"characters": self._sent.pop(message_id, 0)}))
            elif kind == "output":
                *_, last = pieces  # which says it all
                events.append(_event(kind, {"output": last.output}))
            else:
                data = [self._data(piece) for piece in pieces]
                events += [_event(kind, known) for known in data if known is not None]
        return events

    def _data(self, chunk: Chunk) -> Mapping[str, Json] | None:
        if chunk.source is not None:
            return source_json(chunk.source)
        if chunk.file is not None:
            return file_json(chunk.file, self._files)
        if chunk.provider_call is not None:
            return _provider_data(chunk, chunk.provider_call)
        if chunk.kind == "tool_input" and chunk.tool_input is not None:
            called = chunk.tool_input
            return {"callId": called.call_id, "name": called.name, "delta": chunk.delta}
        return _tool_data(chunk)


def _provider_data(chunk: Chunk, call: ProviderCall) -> dict[str, Json]:
    known: dict[str, Json] = {"callId": call.call_id, "name": call.name}
    if chunk.kind == "provider_call":
        return {**known, "arguments": call.arguments}
    if call.status == "failed":
        return {**known, "status": call.status, "error": FAILED_CALL}
    return {**known, "status": call.status, "result": call.result}


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


def _kind_and_message(chunk: Chunk) -> tuple[str, UUID]:
    return chunk.kind, chunk.message_id
