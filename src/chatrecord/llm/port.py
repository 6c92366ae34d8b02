"""The port to an LLM library: a run is handed a history and a prompt, and reports as it goes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal, Protocol
from uuid import UUID

from chatrecord.attachments.attachment import Attachment
from chatrecord.errors import RunError
from chatrecord.hooks.moments import Change
from chatrecord.hooks.run_hooks import RunHooks
from chatrecord.llm.pieces import Snapshot
from chatrecord.records import Json, Message, Role, Tokens, ToolCall
from chatrecord.values import Call, Target

if TYPE_CHECKING:
    from genai_prices.types import AbstractUsage


@dataclass(frozen=True, slots=True)
class Body:
    """A message as the LLM library holds it: `content` is lossless, the rest is for people."""

    role: Role
    text: str
    reasoning: str | None
    content: Json
    format: str | None


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one attempt at a provider, whole or partial."""

    body: Body
    calls: Sequence[Call]
    model: str | None
    provider: str | None
    finish_reason: str | None
    provider_request_id: str | None
    http_status: int | None
    tokens: Tokens
    usage: AbstractUsage | None
    """The usage as `genai-prices` reads it; `None` where the provider reported none."""
    price_context: Mapping[str, str] = field(default_factory=dict)
    """Other values that the price may depend on, such as `service_tier`."""
    is_paused: bool = False
    """Whether the provider paused it. The next request continues it: `body` is the whole so far."""
    reported_cost: Decimal | None = None
    """US dollars that the provider says it charged."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an attempt failed. `error_type` is the class of the original exception."""

    error: RunError
    error_type: str
    http_status: int | None = None
    provider_request_id: str | None = None


@dataclass(frozen=True, slots=True)
class Origin:
    """Which run of which chat asks a question, and when."""

    chat_id: UUID
    run_id: UUID
    asked_at: datetime


@dataclass(frozen=True, slots=True)
class Ask:
    """A question for the LLM. Without `content`, it continues at the end of the history.

    `decisions` then tell of tool calls there whether they may run: `True`, or why not. `question`
    is the row of a question that is asked for the first time.
    """

    content: object | None
    output_type: object | None = None
    decisions: Mapping[str, Literal[True] | str] = field(default_factory=dict)
    hooks: RunHooks = field(default_factory=RunHooks)
    question: Message | None = None


@dataclass(frozen=True, slots=True)
class SideRequest:
    """A request outside the transcript, about these messages.

    Of each no more than so many characters are shown. `kind` says what it is for in its row.
    """

    instructions: str
    messages: Sequence[Message]
    characters: int
    kind: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of a run that went well: its typed output, and its messages in their final form."""

    output: object
    bodies: Sequence[Body]
    parked: Sequence[str] = ()
    """Ids of the tool calls that wait for approval; `output` is nothing then."""


class RequestRecorder(Protocol):
    """What an LLM adapter tells of its requests. An awaited call returns once it is committed."""

    def ids(self) -> Mapping[str, UUID]:
        """The rows that are being written: `chat_id`, `run_id`, `message_id` and `request_id`."""

    async def open_request(
        self, target: Target, *, estimate: Callable[[], int], continues: bool = False
    ) -> None:
        """A request is about to be sent; `estimate` gives its input tokens.

        With `continues`, it continues the answer that the provider paused. Raises a `LimitExceeded`
        where a guard forbids it.
        """

    def watch(self, snapshot: Snapshot) -> None:
        """The first output has arrived; read the growing answer here."""

    def grow(self, characters: int) -> bool:
        """The answer has grown by `characters`. Returns whether too much is unstored.

        Then call `wait_for_room`. This is called for each event of a stream, and is cheap.
        """

    async def wait_for_room(self) -> None:
        """Wait, and leave the provider waiting, until enough of the answer is stored."""

    def close_request(self, answer: Answer | None, failure: Failure | None = None) -> None:
        """The attempt is over. With a failure, `answer` is how far it came by then."""


class Recorder(RequestRecorder, Protocol):
    """What an LLM adapter tells of a run: its requests, its messages and its tool calls."""

    def row_of(self, call: Call) -> ToolCall:
        """The row of a tool call, or a new one."""

    def add_message(self, body: Body) -> None:
        """A message that goes into the next request, such as tool results."""

    async def start_tool(self, call: Call) -> None:
        """A tool is about to run."""

    async def end_tool(
        self, call_id: str, *, result: Json = None, error: str | None = None
    ) -> None:
        """A tool has run."""

    async def deny_tool(self, call: Call, reason: str) -> None:
        """A tool is not to run, for this reason."""

    def close_tool(
        self,
        call_id: str,
        *,
        result: Json = None,
        error: str | None = None,
        is_denied: bool = False,
    ) -> None:
        """A call has its result, whether or not a tool ever ran; known ones keep theirs."""

    def settle_answer(self, body: Body) -> None:
        """The final form of the answer whose calls are about to run."""

    def describe(self, *, instructions: str | None, settings: Json) -> None:
        """Which instructions are sent and which tools are offered."""


class LLM(Protocol):
    """A model or an agent, ready to run."""

    @property
    def target(self) -> Target:
        """Where its requests go, as far as is known before the first."""

    @property
    def agent(self) -> str | None:
        """The name of the agent, `None` for a bare model."""

    @property
    def repeatable(self) -> Collection[str]:
        """The names of its tools that are safe to run again."""

    def prompt(
        self, content: object, storing: Change | None = None, origin: Origin | None = None
    ) -> Body:
        """The user's message for this content, with its texts as they are to be stored.

        With its origin, it is the message that the run will hold, which is not written again.
        """

    def attached(
        self, prompt: str | Sequence[object], files: Sequence[Attachment]
    ) -> Sequence[Any]:
        """The content of a message that is this prompt with these files."""

    def answers(self, calls: Sequence[ToolCall]) -> Body:
        """A message that answers these calls by their rows: their results, or why there is none."""

    async def output(self, answer: Message, output_type: object | None) -> object:
        """A stored answer as a value of this type, or of the agent's output type.

        Raises `AnswerInvalid` for an answer that was given as something else.
        """

    def for_side_requests(self, llm: object) -> LLM:
        """Another one for side requests: what an application calls an LLM, tried as often as this
        one.

        Raises `ConfigurationError` or `TypeError` for one that cannot be used.
        """

    async def side_request(
        self, side_request: SideRequest, recorder: RequestRecorder, hooks: RunHooks
    ) -> str:
        """Ask this, with no tools and no instructions but its own; the text of the answer.

        Raises the `ChatRecordError` that tells why there is none.
        """

    async def run(
        self,
        history: Sequence[Message],
        ask: Ask,
        recorder: Recorder,
    ) -> Outcome:
        """Run to the final answer, or raise the `ChatRecordError` that tells why there is none."""
