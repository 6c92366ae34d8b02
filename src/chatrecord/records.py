"""The values a chat is made of: frozen, and the same whichever database they came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Generic, Literal, TypeAlias
from uuid import UUID

from typing_extensions import TypeVar

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
"""Any JSON value, as Python holds it."""

Role = Literal["system", "user", "assistant", "tool", "summary"]
MessageStatus = Literal["streaming", "complete", "interrupted", "failed", "superseded"]
ToolCallStatus = Literal[
    "pending", "awaiting_approval", "running", "complete", "failed", "denied", "interrupted"
]
RequestStatus = Literal["running", "complete", "interrupted", "failed"]
Ending = Literal["complete", "interrupted", "failed"]
"""How a request, its message, a tool call or a run has ended."""
RunStatus = Literal["waiting", "running", "parked", "complete", "interrupted", "failed"]
ChunkKind = Literal["text", "reasoning", "tool_call", "tool_result"]

Output = TypeVar("Output", default=str, covariant=True)  # noqa: PLC0105 - part of the API


@dataclass(frozen=True, slots=True)
class Tokens:
    """Tokens of one or of many requests. `None` means the provider did not report them, never 0.

    Cache reads and writes are part of `input`, reasoning is part of `output`, whichever way the
    provider itself counts.
    """

    input: int | None = None
    output: int | None = None
    cache_read: int | None = None
    cache_write: int | None = None
    reasoning: int | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """What a run or a chat has used, over all its attempts at providers, failed ones included.

    `cost` is in US dollars and sums the attempts whose price is known (`None` when none is);
    `unpriced_requests` counts the others, so that a partial sum never looks like a whole one.
    """

    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None
    requests: int = 0
    cost: Decimal | None = None
    unpriced_requests: int = 0

    @property
    def total_tokens(self) -> int:
        """Input and output tokens together; what was not reported counts as 0."""
        return (self.input_tokens or 0) + (self.output_tokens or 0)


@dataclass(frozen=True, slots=True)
class ChatRecord:
    """The row of a chat. `columns` holds the columns of your own, by attribute name."""

    id: UUID
    model: str | None
    provider: str | None
    agent: str | None
    instructions: str | None
    title: str | None
    metadata: dict[str, Json]
    created_at: datetime
    updated_at: datetime
    columns: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a chat. `content` is the lossless form that is replayed to the LLM."""

    id: UUID
    chat_id: UUID
    run_id: UUID | None
    seq: int
    role: Role
    status: MessageStatus
    text: str
    reasoning: str | None
    content: Json
    format: str | None
    model: str | None
    provider: str | None
    finish_reason: str | None
    tokens: Tokens
    created_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One call of a tool: its arguments as the model gave them, its raw result or its error."""

    id: UUID
    chat_id: UUID
    run_id: UUID | None
    message_id: UUID
    call_id: str
    name: str
    arguments: Json
    status: ToolCallStatus
    result: Json
    error: str | None
    started_at: datetime | None
    finished_at: datetime | None
    duration_ms: float | None


@dataclass(frozen=True, slots=True)
class ApiRequest:
    """One attempt at a provider, whether it succeeded or not. `cost` is in US dollars."""

    id: UUID
    chat_id: UUID
    run_id: UUID | None
    message_id: UUID | None
    provider: str | None
    model: str | None
    status: RequestStatus
    http_status: int | None
    error_type: str | None
    error: str | None
    provider_request_id: str | None
    streamed: bool
    started_at: datetime
    latency_ms: float | None
    first_token_ms: float | None
    tokens: Tokens
    cost: Decimal | None
    price_source: str | None


@dataclass(frozen=True, slots=True)
class Run:
    """One user message to its final answer, with what was sent along: instructions and settings."""

    id: UUID
    chat_id: UUID
    status: RunStatus
    owner: str
    epoch: int
    lease_until: datetime
    idempotency_key: str | None
    instructions: str | None
    settings: Json
    error: str | None
    started_at: datetime
    finished_at: datetime | None

    @property
    def replaces(self) -> int | None:
        """The number from which on its answer replaces what stood there."""
        first = self.settings.get("replaces") if isinstance(self.settings, dict) else None
        return first if isinstance(first, int) else None


@dataclass(frozen=True, slots=True)
class Chunk:
    """What a stream yields: a piece of `text`, a piece of `reasoning`, or a tool call.

    `tool_call` is set for the kinds `tool_call` (it has started; its result is still `None`) and
    `tool_result` (it has ended). `text` is empty for every kind but `text`, so that
    `print(chunk.text, end="")` prints the answer and nothing else.
    """

    kind: ChunkKind
    message_id: UUID
    text: str = ""
    reasoning: str = ""
    tool_call: ToolCall | None = None


@dataclass(frozen=True, slots=True)
class Reply(Generic[Output]):
    """The end of a run: the final answer, and what it took to get it.

    `output` is the answer as the type that was asked for (the text itself where none was);
    `cost` is in US dollars, `None` where the price of any attempt is unknown; `latency_ms` is from
    the call to the last committed row.
    """

    text: str
    reasoning: str | None
    output: Output
    tool_calls: tuple[ToolCall, ...]
    usage: Usage
    latency_ms: float
    finish_reason: str | None
    message_id: UUID
    run_id: UUID

    @property
    def awaiting_approval(self) -> tuple[ToolCall, ...]:
        """The tool calls that the run waits for somebody to approve, before it can go on."""
        return tuple(call for call in self.tool_calls if call.status == "awaiting_approval")

    @property
    def cost(self) -> Decimal | None:
        """US dollars for the whole run, `None` where the price of any attempt is unknown."""
        return None if self.usage.unpriced_requests else self.usage.cost
