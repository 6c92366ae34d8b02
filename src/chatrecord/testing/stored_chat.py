"""The answers of a stored chat, as a script gives them again."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from pydantic_ai import exceptions
from pydantic_ai.messages import (
    ModelMessage,
    ModelRequest,
    ModelResponse,
    NativeToolCallPart,
    NativeToolReturnPart,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    UserPromptPart,
)
from pydantic_ai.tools import Tool

from chatrecord import errors
from chatrecord.chats.chat import Chat
from chatrecord.errors import ConfigurationError, RunError, RunInterrupted
from chatrecord.pydantic_ai.messages import body_of, message_of
from chatrecord.records import ApiRequest, Message

from .script_events import Event, call, fail, hand, say, think
from .stored_tools import stored_tools

_PAGE = 200
_SHOWN = 200


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """An answer of a stored chat, and the question that it follows; `None` after tool results."""

    number: int
    question: str | None
    events: Sequence[Event]
    is_failed: bool

    def check(self, question: str | None) -> None:
        """Raise `AssertionError` if it was another question that was answered so."""
        if question != self.question:
            msg = (
                f"Answer {self.number} of the stored chat follows {_named(self.question)}, and the "
                f"request ends with {_named(question)}. Ask `script.questions` in their order, or "
                "use Script.from_chat(chat, strict=False)"
            )
            raise AssertionError(msg)


@dataclass(frozen=True, slots=True)
class Stored:
    """What a script knows of a stored chat."""

    questions: Sequence[str]
    answers: Sequence[StoredAnswer]
    tools: Sequence[Tool[Any]]
    strict: bool


async def read_stored(
    chat: Chat[Any, Any], *, strict: bool, approval: Collection[str], limit: int
) -> Stored:
    """Read a chat: what stands in it, without what was replaced."""
    messages = await _messages(chat, limit)
    requests = await _requests(chat)
    answers: list[StoredAnswer] = []
    for before, message in zip([None, *messages], messages, strict=False):
        if message.role == "assistant" and _was_asked(message, requests):
            question = before.text if before is not None and before.role == "user" else None
            is_cut = message.status != "complete"
            events = [*_events_of(message), *([fail(_error_of(message, requests))] * is_cut)]
            answers.append(
                StoredAnswer(len(answers) + 1, question, events or [say("")], is_failed=is_cut)
            )
    calls = await _if_kept(chat.tool_calls)
    return Stored(
        [message.text for message in messages if message.role == "user"],
        answers,
        stored_tools(calls, messages, approval=approval),
        strict,
    )


def question_in(messages: Sequence[ModelMessage]) -> str | None:
    """The question that a request ends with; `None` if these are the results of tools."""
    last = messages[-1] if messages else None
    if not isinstance(last, ModelRequest):
        return None
    asked = [part for part in last.parts if isinstance(part, UserPromptPart)]
    return body_of(ModelRequest(parts=asked[-1:])).text if asked else None


async def _messages(chat: Chat[Any, Any], limit: int) -> list[Message]:
    found: list[Message] = []
    before: int | None = None
    while page := await chat.messages(_PAGE, before=before):
        found = [*page, *found]
        before = page[0].seq
        if len(found) > limit:
            msg = f"Chat {chat.id} has more than {limit} messages: pass a higher limit="
            raise ValueError(msg)
    return [it for it in found if it.status != "superseded" and it.role != "summary"]


async def _requests(chat: Chat[Any, Any]) -> dict[UUID | None, ApiRequest] | None:
    """The last request for each message; `None` if requests are not kept."""
    found = await _if_kept(chat.requests)
    return {request.message_id: request for request in found} or None


async def _if_kept(read: Any) -> Any:
    try:
        return await read()
    except ConfigurationError:  # there is no table for them
        return []


def _was_asked(message: Message, requests: dict[UUID | None, ApiRequest] | None) -> bool:
    """Whether a model was asked for it: a limit or a hook may have ended the run before."""
    return message.status == "complete" or requests is None or message.id in requests


def _events_of(message: Message) -> list[Event]:
    loaded = message_of(message) if message.status == "complete" else None
    if isinstance(loaded, ModelResponse):
        return [event for part in loaded.parts if (event := _event_of(part)) is not None]
    thought = [think(message.reasoning)] if message.reasoning else []
    return [*thought, *([say(message.text)] if message.text else [])]


def _event_of(part: object) -> Event | None:
    """`None` for what no script can stream, such as a file that a model has made."""
    match part:
        case TextPart():
            return say(part.content)
        case ThinkingPart():
            return think(part.content, signature=part.signature)
        case ToolCallPart():
            arguments = part.args if isinstance(part.args, str) else json.dumps(part.args or {})
            return call(part.tool_name, part.tool_call_id, arguments=arguments)
        case NativeToolCallPart() | NativeToolReturnPart():
            return hand(part)
        case _:
            return None


def _error_of(message: Message, requests: dict[UUID | None, ApiRequest] | None) -> Exception:
    """An error of the kind that the row of the request tells."""
    request = (requests or {}).get(message.id)
    told = (request.error if request else None) or "The stored answer ended here"
    kind = (request.error_type if request else None) or ""
    ours = getattr(errors, kind, None)
    if isinstance(ours, type) and issubclass(ours, RunError):
        return cast(Exception, ours(told))
    if message.status != "failed":
        return RunInterrupted(told)
    model = message.model or "script"
    theirs = getattr(exceptions, kind, None)
    status = request.http_status if request else None
    if status is not None:
        is_theirs = isinstance(theirs, type) and issubclass(theirs, exceptions.ModelHTTPError)
        http_error: Any = theirs if is_theirs else exceptions.ModelHTTPError
        return cast(Exception, http_error(status, model, {"error": {"message": told}}))
    if isinstance(theirs, type) and issubclass(theirs, exceptions.ModelAPIError):
        return cast(Exception, cast(Any, theirs)(model, told))
    return exceptions.ModelAPIError(model, told)


def _named(question: str | None) -> str:
    if question is None:
        return "results of tools"
    shown = question if len(question) <= _SHOWN else f"{question[:_SHOWN]}..."
    return f"the question {shown!r}"
