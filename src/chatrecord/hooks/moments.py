"""The values that hooks receive and return."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal, TypeAlias
from uuid import UUID

from chatrecord.errors import ChatRecordError
from chatrecord.records import ApiRequest, Ending, Json, Message, Reply, ToolCall, Usage

TextKind = Literal[
    "instructions", "system", "user", "assistant", "reasoning", "tool_call", "tool_result"
]
"""The origin of a text. `tool_call` is for arguments."""


@dataclass(frozen=True, slots=True)
class Text:
    """One text of a request; in tool arguments and results, each string, number and key."""

    kind: TextKind
    text: str


Change: TypeAlias = Callable[[Text], str]
"""Returns the replacement of a text, or the text itself."""


@dataclass(frozen=True, slots=True)
class Sending:
    """A request that is about to be sent.

    `texts` is all text in it, including the history. `messages` are the LLM library's own (Pydantic
    AI's `ModelMessage`), in a list for this request only: a hook may change the list, but not the
    messages in it; replace a message by a changed copy. `prompt` is the question of this run
    (`None` if it has no new one). `is_first` is true until the run has an answer.

    `is_side_request` is true for titles and summaries. `run_id` is `None` outside a run.

    In the answer, the keys of `in_calls` are replaced by their values in the arguments of tool
    calls, and those of `in_text` in the text, before anything is stored or shown.
    """

    chat_id: UUID
    run_id: UUID | None
    model: str | None
    provider: str | None
    prompt: str | None
    is_first: bool
    texts: tuple[Text, ...]
    messages: list[Any]
    in_calls: Mapping[str, str] = field(default_factory=dict)
    in_text: Mapping[str, str] = field(default_factory=dict)
    is_side_request: bool = False

    def changed(self, change: Change) -> Sending:
        """A copy with changed texts: `return sending.changed(lambda text: text.text.upper())`."""
        return replace(self, texts=tuple(replace(it, text=change(it)) for it in self.texts))


@dataclass(frozen=True, slots=True)
class Answered:
    """An attempt that completed or failed. `error` is set if it failed.

    `request` is its row: ids, tokens, cost in US dollars, latency. `message` is the answer, which
    is partial if the attempt failed.
    """

    request: ApiRequest
    message: Message
    error: ChatRecordError | None


@dataclass(frozen=True, slots=True)
class ToolUse:
    """A tool that is about to run, with its validated arguments. `call` is its row so far."""

    call: ToolCall
    arguments: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The tool's name."""
        return self.call.name


@dataclass(frozen=True, slots=True)
class Veto:
    """Prevents the tool call. The model and the row get `reason`."""

    reason: str


@dataclass(frozen=True, slots=True)
class ToolUsed:
    """A tool that has run, with its arguments and its result."""

    call: ToolCall
    arguments: Mapping[str, Any]
    result: Any

    @property
    def name(self) -> str:
        """The tool's name."""
        return self.call.name


@dataclass(frozen=True, slots=True)
class Replaced:
    """The result for the model. With `in_row=True` the row gets it too."""

    result: Any
    in_row: bool = False


@dataclass(frozen=True, slots=True)
class BudgetWarning:
    """A budget that is nearly used up: `Budget(warn_at=...)` is reached.

    `used` is what the owner has used in this period, which began at `since` and ends at
    `renews_at` (both `None` if the budget never renews). `cost` (US dollars) and `tokens` are the
    limits of the budget, `by` its column, and `whose` the value of the owner there. `chat_id` and
    `run_id` are those of the request that is about to be sent.
    """

    chat_id: UUID
    run_id: UUID | None
    by: str | None
    whose: object
    used: Usage
    cost: Decimal | None
    tokens: int | None
    since: datetime | None
    renews_at: datetime | None

    def __str__(self) -> str:
        whose = f"{self.by}={self.whose!r}" if self.by else "all chats together"
        spent = []
        if self.cost is not None:
            spent.append(f"${self.used.cost or 0:f} of ${self.cost:f}")
        if self.tokens is not None:
            spent.append(f"{self.used.total_tokens:,} of {self.tokens:,} tokens")
        return f"The budget of {whose} is nearly used up: {' and '.join(spent)}"


@dataclass(frozen=True, slots=True)
class RunEnd:
    """The end of a run, before it is stored: its `reply`, or the `error` that ended it.

    `requests` are its attempts at providers, `tool_calls` its tool calls, `text` its (partial)
    answer.
    """

    chat_id: UUID
    run_id: UUID
    status: Ending
    text: str
    usage: Usage
    requests: tuple[ApiRequest, ...]
    tool_calls: tuple[ToolCall, ...]
    settings: Json
    reply: Reply[object] | None
    error: ChatRecordError | None
