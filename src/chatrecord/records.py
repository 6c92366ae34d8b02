"""The records of a chat: frozen, and the same for all databases."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Generic, Literal, TypeAlias
from uuid import UUID

from typing_extensions import TypeVar

from .attached import Attached as Attached  # noqa: PLC0414 - part of the API
from .attached import attached_in
from .read_only import ReadOnlyDict, read_only

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
"""Any JSON value, as Python holds it."""

Role = Literal["system", "user", "assistant", "tool", "summary"]
MessageStatus = Literal["streaming", "complete", "interrupted", "failed", "superseded"]
ToolCallStatus = Literal[
    "pending", "awaiting_approval", "running", "complete", "failed", "denied", "interrupted"
]
RequestStatus = Literal["running", "complete", "interrupted", "failed"]
Ending = Literal["complete", "interrupted", "failed"]
"""The final status of a request, its message, a tool call or a run."""
RunStatus = Literal["queued", "waiting", "running", "parked", "complete", "interrupted", "failed"]
ChunkKind = Literal[
    "text",
    "reasoning",
    "output",
    "tool_input",
    "tool_call",
    "tool_result",
    "provider_call",
    "provider_result",
    "source",
    "file",
    "restart",
]

CostSource = Literal["reported", "computed", "unknown"]
"""Whether the provider reported an amount, or it is computed from tokens and prices."""

REPORTED = "provider"
"""The `price_source` of an amount that the provider reported."""

OWN_PRICES = "own prices"
"""The `price_source` of an amount by prices of your own."""

Output = TypeVar("Output", default=str, covariant=True)  # noqa: PLC0105 - part of the API


@dataclass(frozen=True, slots=True)
class Tokens:
    """Tokens of one or many requests. `None` means that the provider did not report them, never 0.

    Cache reads and writes are part of `input`, reasoning is part of `output`, for all providers.
    """

    input: int | None = None
    output: int | None = None
    cache_read: int | None = None
    cache_write: int | None = None
    reasoning: int | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """The usage of a run or a chat, over all attempts at providers, failed ones included.

    `cost` is in US dollars and sums the attempts with a known price (`None` if there are none);
    `unpriced_requests` counts the others, so that you can detect a partial sum. `reported_costs`
    counts the attempts whose cost the provider reported itself.
    """

    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None
    requests: int = 0
    cost: Decimal | None = None
    unpriced_requests: int = 0
    reported_costs: int = 0

    @property
    def cost_source(self) -> CostSource:
        """`"reported"` if providers reported all of the cost, `"unknown"` if a part is unknown."""
        if self.cost is None or self.unpriced_requests:
            return "unknown"
        return "reported" if self.reported_costs == self.requests else "computed"

    @property
    def total_tokens(self) -> int:
        """Input and output tokens. A value that was not reported counts as 0."""
        return (self.input_tokens or 0) + (self.output_tokens or 0)


@dataclass(frozen=True, slots=True)
class ChatRecord:
    """The row of a chat, as it was read. `columns` has your own columns, by attribute name.

    `metadata` and `columns` are read-only: see `Chat.update`. For a copy, see `Chat.fork`.
    """

    id: UUID
    model: str | None
    provider: str | None
    agent: str | None
    instructions: str | None
    title: str | None
    metadata: Mapping[str, Json]
    created_at: datetime
    updated_at: datetime
    columns: Mapping[str, object] = field(default_factory=dict)
    forked_from: UUID | None = None
    forked_at: UUID | None = None
    restored: Json = None
    parent_run_id: UUID | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "metadata", read_only(self.metadata))
        object.__setattr__(self, "columns", ReadOnlyDict(self.columns))


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a chat. `content` is the lossless form that is sent to the LLM again.

    Stored files are referenced in it, not contained.
    """

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

    @property
    def attachments(self) -> tuple[Attached, ...]:
        """The files in it, in order: those of a prompt, of a tool result, or made by a model."""
        return tuple(attached_in(self.content))


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One tool call: its arguments as the model gave them, and its raw result or its error.

    `duration_ms` is the running time of the tool in milliseconds (`None` if it did not run).
    """

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
    """One attempt at a provider, successful or not.

    `cost` is in US dollars: by prices of your own, or as the provider reported it, or else by the
    list price; `price_source` says which. `list_cost` is the amount by the list price.

    `latency_ms` and `first_token_ms` are milliseconds from the start of the attempt to its end and
    to its first output (`None` if that was not reached).

    `kind` is `None` for an answer of a chat, and otherwise what was asked for: `"title"`,
    `"summary"`, `"embedding"`, `"image"`, or a word of yours.
    """

    id: UUID
    chat_id: UUID | None
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
    list_cost: Decimal | None = None
    kind: str | None = None

    @property
    def cost_source(self) -> CostSource:
        """Whether the cost was reported by the provider, computed, or is unknown."""
        if self.cost is None:
            return "unknown"
        return "reported" if self.price_source == REPORTED else "computed"


@dataclass(frozen=True, slots=True)
class Run:
    """The run from one user message to its final answer, with its instructions and settings.

    `owner` is the process that runs it: host, process id and a random part. `epoch` is the fencing
    number: it rises when the run is resumed or taken over, and writes with an older one are
    rejected.

    `queued` is a run that waits for a worker, `waiting` one that waits in a process (`on_busy`).
    """

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
    question: Json = None
    """What it will ask, as long as it has not begun: see `question_text`."""
    parent_run_id: UUID | None = None
    """The run in whose tool it was asked."""

    @property
    def question_text(self) -> str | None:
        """The text of the question that it will ask; `None` once that is a message of the chat."""
        text = self.question.get("text") if isinstance(self.question, dict) else None
        return text if isinstance(text, str) else None

    @property
    def is_submitted(self) -> bool:
        """Whether any worker may answer it, and go on with it where another has died."""
        return isinstance(self.settings, dict) and self.settings.get("submitted") is True

    @property
    def replaces(self) -> int | None:
        """The `seq` of the first message that its answer replaces."""
        first = self.settings.get("replaces") if isinstance(self.settings, dict) else None
        return first if isinstance(first, int) else None

    @property
    def client(self) -> Mapping[str, Json]:
        """What a client of the routes said of its question and run: its ids and metadata."""
        told = self.settings.get("client") if isinstance(self.settings, dict) else None
        return told if isinstance(told, dict) else {}


@dataclass(frozen=True, slots=True)
class ToolInput:
    """A tool call whose arguments are still arriving."""

    call_id: str
    name: str


@dataclass(frozen=True, slots=True)
class ProviderCall:
    """A call of a tool that the provider runs itself, such as its web search. It has no row.

    `result` is what the provider tells of it, `None` while it runs.
    """

    call_id: str
    name: str
    arguments: Json = None
    status: Literal["running", "complete", "failed"] = "running"
    result: Json = None


@dataclass(frozen=True, slots=True)
class Source:
    """A source that an answer cites: a page of the web (`url`) or a document."""

    url: str | None
    title: str | None = None
    document_id: str | None = None


@dataclass(frozen=True, slots=True)
class Chunk:
    """One chunk of a stream: a piece of `text`, a piece of `reasoning`, a tool call, or a file.

    `tool_call` is set for the kinds `tool_call` (it has started; its result is still `None`) and
    `tool_result` (it has ended). For `tool_input`, `delta` has the next characters of the JSON of
    the arguments of the call in `tool_input`. For `output`, `output` is the typed output as far as
    it has arrived, as JSON that is not validated, and `delta` its next characters. `text` is empty
    for all other kinds, so that `print(chunk.text, end="")` prints only the answer.

    `restart` comes if the worker that wrote this message died: what has come of it is void, and
    another message is given in its place.
    """

    kind: ChunkKind
    message_id: UUID
    text: str = ""
    reasoning: str = ""
    tool_call: ToolCall | None = None
    output: Json = None
    delta: str = ""
    tool_input: ToolInput | None = None
    provider_call: ProviderCall | None = None
    source: Source | None = None
    file: Attached | None = None


@dataclass(frozen=True, slots=True)
class Reply(Generic[Output]):
    """The result of a run: the final answer, its tool calls and its usage.

    `output` is the answer as the requested type (the text, if there was none); `cost` is in US
    dollars, `None` if the price of any attempt is unknown; `latency_ms` is the time in milliseconds
    from the call to the last committed row.
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
        """The tool calls that must be approved or denied before the run can continue."""
        return tuple(call for call in self.tool_calls if call.status == "awaiting_approval")

    @property
    def cost(self) -> Decimal | None:
        """US dollars for the whole run, `None` if the price of any attempt is unknown."""
        return None if self.usage.unpriced_requests else self.usage.cost

    @property
    def cost_source(self) -> CostSource:
        """`"reported"` by the provider, `"computed"` from tokens and prices, or `"unknown"`."""
        return self.usage.cost_source
