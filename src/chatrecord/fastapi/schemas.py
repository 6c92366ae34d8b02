"""What the routes take and return, for the OpenAPI document and the clients generated from it.

Nothing is validated by these models: the routes do this themselves, with limits of their own.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, TypeAlias
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

Value: TypeAlias = Any
"""Any JSON value. The types of its own that Pydantic has for it are a reference in a document."""


class _Camel(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid")


class Chat(_Camel):
    """A chat, without the columns that say whose it is."""

    id: UUID
    title: str | None
    created_at: datetime
    updated_at: datetime
    metadata: dict[str, Value]


class ChatList(_Camel):
    """Chats, newest activity first. `next` is the `before` of the next page."""

    chats: list[Chat]
    next: str | None


class DeletedChats(_Camel):
    """Chats that can be restored."""

    chats: list[Chat]


class SnippetPart(_Camel):
    """A part of a snippet: plain text, and whether it is what was searched for."""

    text: str
    match: bool


class SearchHit(_Camel):
    """A message that fits, or a chat whose title does: then it has no message."""

    chat_id: UUID
    title: str | None
    message_id: UUID | None
    seq: int | None
    role: Literal["user", "assistant", "title"]
    snippet: list[SnippetPart]
    rank: float
    created_at: datetime


class SearchHits(_Camel):
    """What was said, the best hits first. `next` is the `after` of the next page."""

    hits: list[SearchHit]
    next: str | None


class PendingApproval(_Camel):
    """A tool call that waits for approval."""

    call_id: str
    name: str
    arguments: Value


class ActiveRun(_Camel):
    """The answer that is being given."""

    id: UUID


class ChatPage(_Camel):
    """A chat with its last messages, in the form of the client's protocol.

    They are `UIMessage`s of the AI SDK, or AG-UI's messages. `next` is the `before` of the page of
    earlier messages.
    """

    chat: Chat
    messages: list[dict[str, Value]]
    next: int | None
    pending_approvals: list[PendingApproval]
    active_run: ActiveRun | None


class Feedback(_Camel):
    """What the signed-in user thinks of an answer."""

    value: float
    comment: str | None


class KeptFeedback(_Camel):
    """What is kept now."""

    feedback: Feedback | None


class Branch(_Camel):
    """A version of a question or answer."""

    id: UUID
    text: str
    created_at: datetime
    is_current: bool


class Branches(_Camel):
    """The versions of a question or answer, oldest first."""

    branches: list[Branch]


class Stopped(_Camel):
    """Whether there was an answer to stop."""

    stopped: bool


class OpenCall(_Camel):
    """A tool call that still waits."""

    call_id: str


class OpenCalls(_Camel):
    """The tool calls that still wait for approval."""

    pending_approvals: list[OpenCall]


class Problem(_Camel):
    """What went wrong. A program reads the code, a person the message."""

    code: str
    message: str


class ErrorResponse(_Camel):
    """Every error has this form."""

    error: Problem


class NewChat(_Camel):
    """A chat to be created."""

    title: str | None = Field(None, max_length=255)
    metadata: dict[str, Value] | None = None


class UpdatedChat(_Camel):
    """What is new about a chat. `null` takes the title away, `metadata` replaces all of it.

    An application may allow only some of it, and columns of its own besides.
    """

    model_config = ConfigDict(extra="allow")

    title: str | None = Field(None, max_length=255)
    metadata: dict[str, Value] | None = None
    instructions: str | None = None


class GivenFeedback(_Camel):
    """What the user thinks of an answer: 1 or -1, or a number of your own; null withdraws it."""

    message_id: str
    value: float | None
    comment: str | None = Field(default=None, max_length=10_000)


class WantedBranch(_Camel):
    """The version to go back to: `id` of a branch."""

    message_id: str


class WantedCopy(_Camel):
    """The last message to copy; without it, the whole chat is copied."""

    message_id: str | None = None


class ToolCallApproval(_Camel):
    """The tool call that may run."""

    call_id: str


class ToolCallDenial(_Camel):
    """The tool call that may not run. The model reads the reason."""

    call_id: str
    reason: str | None = Field(None, max_length=2_000)


class UseChatRequest(_Camel):
    """What `useChat` of the AI SDK sends. Only the last of `messages` is needed."""

    model_config = ConfigDict(extra="allow")

    id: str
    messages: list[dict[str, Value]]
    trigger: Literal["submit-message", "regenerate-message"] = "submit-message"
    message_id: str | None = None


class AGUIRequest(_Camel):
    """What an AG-UI client sends. `threadId` is the id of the chat."""

    model_config = ConfigDict(extra="allow")

    thread_id: str
    run_id: str
    messages: list[dict[str, Value]]


class PlainQuestion(_Camel):
    """A question of any other client. The same `key` again is the same question."""

    id: str
    text: str
    key: str | None = None
