"""The histories of other libraries as pydantic-ai's messages, and those as ours."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from pydantic import ValidationError
from pydantic_ai.messages import (
    ModelMessage,
    ModelRequest,
    ModelResponse,
    SystemPromptPart,
    ToolReturnPart,
)

from chatrecord.errors import ImportInvalid
from chatrecord.pydantic_ai.agent import answers
from chatrecord.pydantic_ai.messages import _message, body_of, calls_of, json_of
from chatrecord.pydantic_ai.provider import tokens_of
from chatrecord.records import ToolCallStatus
from chatrecord.transfer.histories import History, HistoryFormat, Result, Said

from .langchain import langchain_messages
from .openai import openai_messages
from .untrusted import Entry

__all__ = ["answers", "read_history"]

_ENDINGS: dict[str, ToolCallStatus] = {"denied": "denied", "interrupted": "interrupted"}


def read_history(messages: object, history_format: HistoryFormat) -> History:
    """What was said, in order. Raises `ImportInvalid`, which names the message."""
    entries = _entries(messages)
    readers: dict[HistoryFormat, Callable[[list[Entry]], list[ModelMessage]]] = {
        "pydantic-ai": _own_messages,
        "openai": openai_messages,
        "langchain": langchain_messages,
    }
    found = readers[history_format](entries)
    instructions = _last_instructions(found)
    if history_format != "pydantic-ai":
        instructions, found = _leading_instructions(found)
    return History([_said(message) for message in found], instructions)


def _entries(messages: object) -> list[Entry]:
    if isinstance(messages, str | bytes):
        try:
            messages = json.loads(messages)
        except (ValueError, RecursionError) as error:
            msg = f"The history is no JSON: {error}"
            raise ImportInvalid(msg) from error
    if not isinstance(messages, Sequence):
        msg = f"A history is a list of messages, not {type(messages).__name__}"
        raise ImportInvalid(msg)
    return [Entry(place, message) for place, message in enumerate(messages, 1)]


def _own_messages(entries: list[Entry]) -> list[ModelMessage]:
    return [_own_message(entry) for entry in entries]


def _own_message(entry: Entry) -> ModelMessage:
    try:
        return _message.validate_python(entry.value)
    except ValidationError as error:
        detail = error.errors()[0]
        place = ".".join(map(str, detail["loc"]))
        entry.refuse(f"is none of pydantic-ai's: {place}: {detail['msg']}", error)
    except RecursionError as error:
        entry.refuse("is nested too deeply", error)


def _last_instructions(messages: Sequence[ModelMessage]) -> str | None:
    texts = [message.instructions for message in messages if isinstance(message, ModelRequest)]
    return texts[-1] if texts else None


def _leading_instructions(
    messages: list[ModelMessage],
) -> tuple[str | None, list[ModelMessage]]:
    """System messages at the start are the chat's instructions: no window cuts those off."""
    texts: list[str] = []
    for place, message in enumerate(messages):
        parts = message.parts
        if not all(isinstance(part, SystemPromptPart) for part in parts):
            return "\n\n".join(texts) or None, messages[place:]
        texts += [part.content for part in parts if isinstance(part, SystemPromptPart)]
    return "\n\n".join(texts) or None, []


def _said(message: ModelMessage) -> Said:
    if isinstance(message, ModelResponse):
        return Said(
            body_of(message),
            at=message.timestamp,
            calls=calls_of(message, but=()),
            model=message.model_name,
            provider=message.provider_name,
            finish_reason=message.finish_reason,
            tokens=tokens_of(message),
        )
    times = [at for part in message.parts if (at := getattr(part, "timestamp", None))]
    results = [_result(part) for part in message.parts if _is_result(part)]
    return Said(body_of(message), at=times[0] if times else None, results=results)


def _is_result(part: Any) -> bool:
    """The result of a call, or the answer that it has to be made again."""
    return isinstance(part, ToolReturnPart) or (
        part.part_kind == "retry-prompt" and part.tool_name is not None
    )


def _result(part: Any) -> Result:
    outcome = getattr(part, "outcome", "retried")
    content = json_of(part.content)
    if outcome == "success":
        return Result(part.tool_call_id, "complete", content, None)
    text = content if isinstance(content, str) else json.dumps(content)
    return Result(part.tool_call_id, _ENDINGS.get(outcome, "failed"), None, text)
