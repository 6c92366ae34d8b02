"""Take over a history that another library has kept, as if it had been said here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from importlib import import_module
from typing import Literal, get_args
from uuid import UUID

from chatrecord.attachments.embedded_files import exported
from chatrecord.chats.insertion import inserted
from chatrecord.errors import ImportInvalid
from chatrecord.ids import new_id
from chatrecord.llm.port import Body
from chatrecord.records import (
    ChatRecord,
    Json,
    Message,
    MessageStatus,
    Run,
    Tokens,
    ToolCall,
    ToolCallStatus,
)
from chatrecord.runs.process import Backend
from chatrecord.runs.row_changes import ended_call, pending_call
from chatrecord.store.changes import RunRecord
from chatrecord.values import Call

HistoryFormat = Literal["pydantic-ai", "openai", "langchain"]
"""Whose messages: pydantic-ai's JSON, OpenAI's chat completions, LangChain's `messages_to_dict`."""

OWNER = "import"
"""Who has worked on a run that was taken over."""

UNANSWERED = "The history that was imported ends without an answer"

_NOTHING = Body("assistant", "", None, None, None)
"""The answer that a run is left with whose process died before it said a word."""


@dataclass(frozen=True, slots=True)
class Result:
    """The result of a tool call."""

    call_id: str
    status: ToolCallStatus
    result: Json
    error: str | None


@dataclass(frozen=True, slots=True)
class Said:
    """A message of the history: what is stored of it, and when it was said, where that is known."""

    body: Body
    at: datetime | None = None
    calls: Sequence[Call] = ()
    results: Sequence[Result] = ()
    model: str | None = None
    provider: str | None = None
    finish_reason: str | None = None
    tokens: Tokens = field(default_factory=Tokens)


@dataclass(frozen=True, slots=True)
class History:
    """A history in order, and the instructions that it was said under."""

    said: Sequence[Said]
    instructions: str | None


@dataclass(frozen=True, slots=True)
class ChatFields:
    """The fields of a new chat with a history. Default `instructions` are those of the history."""

    instructions: str | None
    title: str | None
    metadata: dict[str, Json]
    columns: Mapping[str, object]


async def import_history(
    backend: Backend, messages: object, history_format: HistoryFormat, given: ChatFields
) -> ChatRecord:
    """A new chat with this history, written in one transaction."""
    if history_format not in get_args(HistoryFormat):
        known = ", ".join(map(repr, get_args(HistoryFormat)))
        msg = f"format= is one of {known}, not {history_format!r}"
        raise ValueError(msg)
    runtime = import_module("chatrecord.pydantic_ai.importing.histories")
    history: History = runtime.read_history(messages, history_format)
    writer = _Writer(datetime.now(UTC), runtime.answers, given.instructions or history.instructions)
    for place, said in enumerate(history.said, 1):
        writer.add(said, place)
    writer.close()
    chat, store = writer.chat(given), backend.store
    rows = writer.rows()
    return await inserted(store, chat, lambda: store.insert_whole_chat(chat, rows))


@dataclass(slots=True)
class _Writer:
    """Makes the rows of a chat out of its history."""

    now: datetime
    answers: Callable[[Sequence[ToolCall]], Body]
    instructions: str | None
    chat_id: UUID = field(default_factory=new_id)
    runs: list[Run] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    calls: list[ToolCall] = field(default_factory=list)
    _open: dict[str, ToolCall] = field(default_factory=dict)
    _at: datetime | None = None
    _last: Said | None = None

    def add(self, said: Said, place: int) -> None:
        """The next message."""
        if not said.results:
            self._answer_open_calls()
        self._at = said.at or self._at or self.now
        if said.body.role == "user" or not self.runs:
            self.runs.append(self._run())
        message = self._message(said)
        for result in said.results:
            self._end(result, place)
        for call in said.calls:
            self._open[call.call_id] = pending_call(call, message)
        self._last = said

    def close(self) -> None:
        """What is still open ends."""
        self._answer_open_calls()
        last = self._last
        if last is not None and (last.body.role != "assistant" or last.calls):
            self.runs[-1] = replace(self.runs[-1], status="interrupted", error=UNANSWERED)
            if last.body.role != "tool" and not last.calls:
                self._message(Said(_NOTHING), "interrupted")

    def chat(self, given: ChatFields) -> ChatRecord:
        """The chat's row."""
        named = [message for message in self.messages if message.model is not None]
        first = self.messages[0].created_at if self.messages else self.now
        return ChatRecord(
            id=self.chat_id,
            model=named[-1].model if named else None,
            provider=named[-1].provider if named else None,
            agent=None,
            instructions=self.instructions,
            title=given.title,
            metadata=given.metadata,
            created_at=first,
            updated_at=self.runs[-1].started_at if self.runs else first,
            columns=given.columns,
        )

    def rows(self) -> list[RunRecord]:
        """All rows in their order."""
        ended = {message.run_id: message.created_at for message in self.messages}
        runs = [replace(run, finished_at=ended[run.id]) for run in self.runs]
        return [*runs, *self.messages, *self.calls]

    def _run(self) -> Run:
        return Run(
            id=new_id(),
            chat_id=self.chat_id,
            status="complete",
            owner=OWNER,
            epoch=1,
            lease_until=self._at or self.now,
            idempotency_key=None,
            instructions=self.instructions,
            settings={},
            error=None,
            started_at=self._at or self.now,
            finished_at=None,
        )

    def _message(self, said: Said, status: MessageStatus = "complete") -> Message:
        at = self._at or self.now
        message = Message(
            id=new_id(),
            chat_id=self.chat_id,
            run_id=self.runs[-1].id,
            seq=len(self.messages) + 1,
            role=said.body.role,
            status=status,
            text=said.body.text,
            reasoning=said.body.reasoning,
            content=exported(said.body.content),
            format=said.body.format,
            model=said.model,
            provider=said.provider,
            finish_reason=said.finish_reason,
            tokens=said.tokens,
            created_at=at,
            finished_at=at,
        )
        self.messages.append(message)
        return message

    def _end(self, result: Result, place: int) -> None:
        call = self._open.pop(result.call_id, None)
        if call is None:
            msg = (
                f"Message {place} answers the tool call {result.call_id!r}, which is not open: "
                "leave it out, or give the message that made the call, too"
            )
            raise ImportInvalid(msg, line=place)
        self.calls.append(
            replace(call, status=result.status, result=exported(result.result), error=result.error,
                    finished_at=self._at)
        )  # fmt: skip

    def _answer_open_calls(self) -> None:
        """Every provider wants a result for each call: where none is known, that is the result."""
        if not self._open:
            return
        calls = [ended_call(call, "interrupted", None, None) for call in self._open.values()]
        self._open.clear()
        self._message(Said(self.answers(calls)))
        self.calls += calls
