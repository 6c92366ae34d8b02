"""The port of a wire protocol: it writes the start, the chunks and the end of a run as bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol
from uuid import UUID

from chatrecord.records import Attached, Chunk, Json, Source, ToolCall, Usage
from chatrecord.web.error_responses import Problem

Status = Literal["streaming", "parked", "complete", "interrupted", "failed"]
"""The state of an answer. A parked one waits for tool calls to be approved or denied."""


@dataclass(frozen=True, slots=True)
class Seen:
    """The part of this run that the client already has: an answer that ends with tool calls.

    Denied calls have their results already; no chunk follows for them.
    """

    message_id: UUID
    messages: frozenset[UUID]
    call_ids: frozenset[str]
    denied: tuple[ToolCall, ...]
    calls: tuple[ToolCall, ...] = ()
    """All calls of the run so far, oldest first."""

    def rest(self, chunks: Sequence[Chunk]) -> Sequence[Chunk]:
        """The new ones of these chunks: for calls that the client has, only their results."""
        return [chunk for chunk in chunks if self._is_new(chunk)]

    def results(self) -> Sequence[Chunk]:
        """The results of the denied calls."""
        return [Chunk("tool_result", call.message_id, tool_call=call) for call in self.denied]

    def _is_new(self, chunk: Chunk) -> bool:
        if chunk.message_id not in self.messages:
            return True
        if chunk.message_id != self.message_id or chunk.kind != "tool_result":
            return False
        assert chunk.tool_call is not None
        return chunk.tool_call.status != "denied"


@dataclass(frozen=True, slots=True)
class Opening:
    """The start of an answer: its run and question."""

    chat_id: UUID
    run_id: UUID
    question_id: UUID | None
    created_at: datetime
    seen: Seen | None = None
    files: str | None = None
    """The address below which the files of the chat are, by their hashes."""

    def metadata(self) -> dict[str, Json]:
        """The state of the answer at its start."""
        known: dict[str, Json] = {
            "runId": str(self.run_id),
            "status": "streaming",
            "createdAt": self.created_at.isoformat(),
        }
        if self.question_id is not None:
            known["questionId"] = str(self.question_id)
        return known


@dataclass(frozen=True, slots=True)
class Ending:
    """The end of a run. `problem` is for clients: it contains no text of an exception.

    `stopped` distinguishes a stopped answer from an interrupted one.
    """

    status: Status
    finish_reason: str | None = None
    usage: Usage | None = None
    cost: float | None = None
    waiting: tuple[ToolCall, ...] = ()
    problem: Problem | None = None
    stopped: bool = False

    def metadata(self) -> dict[str, Json]:
        """The state of the answer after its end."""
        known: dict[str, Json] = {"status": self.status}
        if self.finish_reason is not None:
            known["finishReason"] = self.finish_reason
        if self.usage is not None:
            known["usage"] = usage_json(self.usage)
            known["costSource"] = self.usage.cost_source
        if self.cost is not None:
            known["cost"] = self.cost
        if self.problem is not None:
            known["error"] = self.problem.json()
        if self.stopped:
            known["stopped"] = True
        return known


class Encoder(Protocol):
    """Encodes one answer for one client. Each method returns bytes, perhaps none."""

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers of the response."""

    def start(self, opening: Opening) -> bytes:
        """Encode the start."""

    def add(self, chunks: Sequence[Chunk]) -> bytes:
        """Encode more chunks."""

    def title(self, title: str) -> bytes:
        """Encode the title that the chat has got, before the end."""

    def end(self, ending: Ending) -> bytes:
        """Encode the end."""


def usage_json(usage: Usage) -> dict[str, Json]:
    """Tokens for clients; values that were not reported are left out."""
    counts = {
        "inputTokens": usage.input_tokens,
        "outputTokens": usage.output_tokens,
        "reasoningTokens": usage.reasoning_tokens,
        "cachedInputTokens": usage.cache_read_tokens,
    }
    known: dict[str, Json] = {name: count for name, count in counts.items() if count is not None}
    if known:
        known["totalTokens"] = usage.total_tokens
    return known


def file_json(file: Attached, files: str | None) -> dict[str, Json] | None:
    """A file for clients: its address, media type and name. `None` for one without an address."""
    url = file.url or (f"{files}/{file.hash}" if files is not None else None)
    if url is None:
        return None
    named: dict[str, Json] = {} if file.name is None else {"filename": file.name}
    return {"mediaType": file.media_type or "application/octet-stream", **named, "url": url}


def source_json(source: Source) -> dict[str, Json]:
    """A source for clients; what is not known of it is left out."""
    known = {"url": source.url, "title": source.title, "documentId": source.document_id}
    return {name: value for name, value in known.items() if value is not None}


FAILED_CALL = "This call has failed."


def why_without_result(call: ToolCall) -> str:
    """Why a call has no result. Errors of tools are for the model and the audit only."""
    if call.status == "denied":
        return call.error or "This call was denied."
    return "This call was interrupted." if call.status == "interrupted" else FAILED_CALL
