"""What a wire protocol has to do: tell the beginning, the chunks and the end of a run in bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol
from uuid import UUID

from chatrecord.records import Chunk, Json, ToolCall, Usage
from chatrecord.web.error_responses import Problem

Status = Literal["streaming", "parked", "complete", "interrupted", "failed"]
"""The state of an answer. A parked one waits for tool calls to be approved or denied."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What the client has of this run already: an answer that ends with tool calls.

    Those that were denied have their results by now, and nothing more will be heard of them.
    """

    message_id: UUID
    messages: frozenset[UUID]
    call_ids: frozenset[str]
    denied: tuple[ToolCall, ...]

    def rest(self, chunks: Sequence[Chunk]) -> Sequence[Chunk]:
        """Of these chunks what is new: of the calls that it has, only their results."""
        return [chunk for chunk in chunks if self._is_new(chunk)]

    def results(self) -> Sequence[Chunk]:
        """What became of the calls that were denied."""
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
    """The run whose answer is about to be read."""

    chat_id: UUID
    run_id: UUID
    question_id: UUID | None
    created_at: datetime
    seen: Seen | None = None

    def metadata(self) -> dict[str, Json]:
        """What is known of the answer before it comes."""
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
    """How a run has ended. `problem` is for clients: it holds nothing of an exception's text.

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
        """What is known of the answer once it has ended."""
        known: dict[str, Json] = {"status": self.status}
        if self.finish_reason is not None:
            known["finishReason"] = self.finish_reason
        if self.usage is not None:
            known["usage"] = usage_json(self.usage)
        if self.cost is not None:
            known["cost"] = self.cost
        if self.problem is not None:
            known["error"] = self.problem.json()
        if self.stopped:
            known["stopped"] = True
        return known


class Encoder(Protocol):
    """One answer, for one client. Each method returns the bytes that say so, which may be none."""

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers of the response."""

    def start(self, opening: Opening) -> bytes:
        """The answer begins."""

    def add(self, chunks: Sequence[Chunk]) -> bytes:
        """More of it."""

    def end(self, ending: Ending) -> bytes:
        """It has ended."""


def usage_json(usage: Usage) -> dict[str, Json]:
    """Tokens as clients get them; what was not reported is left out."""
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


def why_without_result(call: ToolCall) -> str:
    """Why a call has no result. What a tool raised is for the model and the audit only."""
    if call.status == "denied":
        return call.error or "This call was denied."
    return "This call was interrupted." if call.status == "interrupted" else "This call has failed."
