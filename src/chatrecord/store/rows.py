"""What a run begins with, and what is read of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from chatrecord.records import (
    ApiRequest,
    Message,
    Run,
    RunStatus,
    ToolCall,
)

from .changes import JournalEntry
from .window import Window


@dataclass(frozen=True, slots=True)
class GivenRow:
    """What an instance of the application's class says of a chat: its columns and its fields.

    `id` is that of a new chat, if it was given one.
    """

    columns: Mapping[str, object]
    fields: Mapping[str, Any]
    id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Replacement:
    """What a run is to replace: the messages from the number `first` on, `last` being the last."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class RunStart:
    """The first transaction of a run. Its messages get the chat's next numbers.

    Without a `request` none has been admitted yet. A run that is `in_line` begins only if no other
    of its chat has waited for longer, and raises `ChatBusy` otherwise. A run that `replaces` sees
    none of what it replaces; without a `prompt` it answers the last one before that. It raises
    `ChatBusy` if the chat has newer messages. With `with_summary` the last summary of older
    messages is in their place in its history. With `begins` it is this run, whose row is there
    since its question was submitted: `AnsweredElsewhere` is raised if another process was faster.
    """

    run: Run
    prompt: Message | None
    answer: Message
    request: ApiRequest | None
    window: Window
    replaces: Replacement | None = None
    queued: bool = False
    with_summary: bool = False
    begins: Run | None = None

    @property
    def opening(self) -> list[Message]:
        """The messages it opens with."""
        return [message for message in (self.prompt, self.answer) if message is not None]


@dataclass(frozen=True, slots=True)
class Begun:
    """What a run finds when it begins: its first `seq`, and the history that its window holds."""

    seq: int
    history: Sequence[Message]


@dataclass(frozen=True, slots=True)
class RunState:
    """A sign of life of a run: it changes whenever the run writes."""

    status: RunStatus
    lease_until: datetime
    has_expired: bool
    """Whether its lease has ended, by the clock of the database."""
    error: str | None


@dataclass(frozen=True, slots=True)
class RunRows:
    """Everything a run has written, oldest first."""

    messages: Sequence[Message]
    tool_calls: Sequence[ToolCall]
    requests: Sequence[ApiRequest]
    journal: Sequence[JournalEntry]


@dataclass(frozen=True, slots=True)
class RunsRows:
    """Some runs of a chat with their tool calls and requests, oldest first."""

    runs: Sequence[Run]
    tool_calls: Sequence[ToolCall]
    requests: Sequence[ApiRequest]
