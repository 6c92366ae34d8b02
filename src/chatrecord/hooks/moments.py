"""What hooks are told, and what they may say: frozen, and the same whichever LLM library runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeAlias
from uuid import UUID

from chatrecord.errors import ChatRecordError
from chatrecord.records import ApiRequest, Ending, Json, Message, Reply, ToolCall, Usage

TextKind = Literal[
    "instructions", "system", "user", "assistant", "reasoning", "tool_call", "tool_result"
]
"""Whose words a text is. `tool_call` is for arguments."""


@dataclass(frozen=True, slots=True)
class Text:
    """One piece of text of a request; of arguments and results each string, number and key."""

    kind: TextKind
    text: str


Change: TypeAlias = Callable[[Text], str]
"""What is to stand in the place of a text; the text itself where it may stay."""


@dataclass(frozen=True, slots=True)
class Sending:
    """A request that is about to be sent.

    `texts` is all text in it, the old history included. `messages` are the LLM library's own
    (pydantic-ai's `ModelMessage`), in a list that is only for this request: what a hook changes in
    the list is sent; the messages in it are the run's own, so put a copy in the place of one that
    is to change. `prompt` is the question of this run (`None` where there is no new one), and
    `is_first` tells whether nothing of the run has been answered yet.

    A request `is_side_request` where it is no part of the transcript, such as one for the title;
    one that no run has made has no `run_id`.

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
        """The same with changed texts: `return sending.changed(lambda text: text.text.upper())`."""
        return replace(self, texts=tuple(replace(it, text=change(it)) for it in self.texts))


@dataclass(frozen=True, slots=True)
class Answered:
    """An attempt at a provider that has its answer, or has failed: then `error` tells why.

    `request` is its row: ids, tokens, cost in US dollars, latency. `message` is the answer, with
    how far it came by then.
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
    """The tool is not to run. The model is told the reason, and the row has it."""

    reason: str


@dataclass(frozen=True, slots=True)
class ToolUsed:
    """A tool that has run, with its arguments as they were and what it has returned."""

    call: ToolCall
    arguments: Mapping[str, Any]
    result: Any

    @property
    def name(self) -> str:
        """The tool's name."""
        return self.call.name


@dataclass(frozen=True, slots=True)
class Replaced:
    """What the model gets for a result. The row keeps what the tool returned, or this too."""

    result: Any
    in_row: bool = False


@dataclass(frozen=True, slots=True)
class RunEnd:
    """A run that is about to be stored as ended: its `reply`, or the `error` that it ended with.

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
