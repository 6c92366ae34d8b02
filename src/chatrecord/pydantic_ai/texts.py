"""Reads the texts in the messages of a request, and changes them in a copy."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

from pydantic_ai.messages import (
    BinaryContent,
    ModelMessage,
    ModelRequest,
    ModelResponse,
    SystemPromptPart,
    TextContent,
    TextPart,
    ThinkingPart,
    ToolReturn,
    UserPromptPart,
)
from pydantic_ai.models import ModelRequestParameters

from chatrecord.attached import name_of
from chatrecord.hooks.moments import Change, Text, TextKind
from chatrecord.llm.port import Body
from chatrecord.values import Call

from .messages import body_of, json_of

_KINDS: tuple[tuple[type, TextKind], ...] = (
    (SystemPromptPart, "system"),
    (UserPromptPart, "user"),
    (TextPart, "assistant"),
)
_TEXT_FILES = ("text/", "application/json", "application/xml", "application/yaml")


def changed_messages(messages: Sequence[ModelMessage], change: Change) -> list[ModelMessage]:
    """The messages with every text as `change` wants it; those that stay as they are, are the same.

    Reasoning that would change is left out, as its signature would be wrong. Pictures, other files
    that are no text, and addresses of files are not looked into.
    """
    change = _once_per_instructions(change)
    changed = [changed_message(message, change) for message in messages]
    return [message for message in changed if message.parts]


def changed_message(message: ModelMessage, change: Change) -> ModelMessage:
    """One message, likewise."""
    parts = [_changed_part(part, change, _kind_of(message)) for part in message.parts]
    changes: dict[str, Any] = {}
    if any(new is not old for new, old in zip(parts, message.parts, strict=True)):
        changes["parts"] = [part for part in parts if part is not None]
    if isinstance(message, ModelRequest) and message.instructions:
        instructions = change(Text("instructions", message.instructions))
        if instructions != message.instructions:
            changes["instructions"] = instructions
    return replace(message, **changes) if changes else message


def changed_parameters(
    parameters: ModelRequestParameters, change: Change
) -> ModelRequestParameters:
    """The instructions as they are sent, likewise. What is said of tools is the code's own."""
    if not parameters.instruction_parts:
        return parameters
    parts = [
        replace(part, content=change(Text("instructions", part.content)))
        for part in parameters.instruction_parts
    ]
    return replace(parameters, instruction_parts=parts)


def stored_body(message: ModelMessage, storing: Change | None) -> Body:
    """A message as it is stored: the texts of a request, and the arguments of calls, changed."""
    if isinstance(message, ModelResponse):
        return body_of(stored_response(message, storing))
    return body_of(message if storing is None else changed_message(message, storing))


def stored_response(response: ModelResponse, storing: Change | None) -> ModelResponse:
    """An answer with the arguments of its calls as they are stored."""
    if storing is None:
        return response

    def arguments(text: Text) -> str:
        return storing(text) if text.kind == "tool_call" else text.text

    return cast(ModelResponse, changed_message(response, arguments))


def stored_call(call: Call, storing: Change | None) -> Call:
    """A call as its row keeps it."""
    if storing is None:
        return call
    return replace(call, arguments=changed_value(call.arguments, "tool_call", storing))


def changed_value(value: Any, kind: TextKind, change: Change) -> Any:
    """A value of tool arguments or results: every string, number and key in it, likewise.

    One without a text to change is returned as it is.
    """
    new = _changed_json(value, kind, change)
    if new is value or isinstance(value, ToolReturn):
        return new
    return value if _is_unchanged(new, value) else new


def texts_of(messages: Sequence[ModelMessage], parameters: ModelRequestParameters) -> list[Text]:
    """All texts of a request, in the order in which `changed_request` changes them."""
    found: list[Text] = []

    def see(text: Text) -> str:
        found.append(text)
        return text.text

    changed_request(messages, parameters, see)
    return found


def changed_request(
    messages: Sequence[ModelMessage], parameters: ModelRequestParameters, change: Change
) -> tuple[list[ModelMessage], ModelRequestParameters]:
    """Messages and instructions of a request."""
    change = _once_per_instructions(change)
    parameters = changed_parameters(parameters, change)
    return changed_messages(messages, change), parameters


def _once_per_instructions(change: Change) -> Change:
    """All sent messages contain the instructions; they are one text."""
    known: dict[str, str] = {}

    def once(text: Text) -> str:
        if text.kind != "instructions":
            return change(text)
        if text.text not in known:
            known[text.text] = change(text)
        return known[text.text]

    return once


def _kind_of(message: ModelMessage) -> TextKind:
    return "assistant" if isinstance(message, ModelResponse) else "tool_result"


def _changed_part(part: Any, change: Change, otherwise: TextKind) -> Any:
    if isinstance(part, ThinkingPart):
        return part if _is_same(Text("reasoning", part.content), change) else None
    if isinstance(getattr(part, "args", None), str | dict):
        args = _changed_args(part.args, change)
        return part if args is part.args else replace(part, args=args)
    content = getattr(part, "content", None)
    if content is None or part.part_kind == "file":
        return part
    kind = next((kind for cls, kind in _KINDS if isinstance(part, cls)), otherwise)
    if part.part_kind.endswith("-return"):
        kind = "tool_result"
    new = changed_value(content, kind, change)
    return part if new is content else _with_content(part, new)


def _is_same(text: Text, change: Change) -> bool:
    return not text.text or change(text) == text.text


def _with_content(part: Any, content: Any) -> Any:
    if not isinstance(part, TextPart):
        return replace(part, content=content)
    # A provider that is given the id of a text takes its own copy of it.
    return replace(part, content=content, id=None)


def _changed_args(args: str | dict[str, Any], change: Change) -> str | dict[str, Any]:
    if isinstance(args, dict):
        return cast(dict[str, object], changed_value(args, "tool_call", change))
    try:
        parsed = json.loads(args)
    except ValueError:
        new = change(Text("tool_call", args)) if args else args
        return args if new == args else new
    changed = changed_value(parsed, "tool_call", change)
    if changed is parsed:
        return args
    return changed if isinstance(changed, dict) else json.dumps(changed)


def _changed_json(value: Any, kind: TextKind, change: Change) -> Any:  # noqa: PLR0911 - a table
    match value:
        case None | bool():
            return value
        case str():
            return change(Text(kind, value)) if value else value
        case int() | float():
            said = str(value)
            new = change(Text(kind, said))
            return value if new == said else new
        case BinaryContent():
            return _changed_file(value, kind, change)
        case TextContent():
            return replace(value, content=change(Text(kind, value.content)))
        case Mapping():
            data = _changed_data(value, kind, change)
            return {
                _changed_key(key, kind, change): data
                if key == "data" and data is not None
                else changed_value(item, kind, change)
                for key, item in value.items()
            }
        case list() | tuple():
            return [changed_value(item, kind, change) for item in value]
        case ToolReturn():
            return _changed_return(value, kind, change)
        case _ if hasattr(value, "kind") and hasattr(value, "identifier"):
            return value  # the address of a file
        case _:
            return _changed_object(value, kind, change)


def _changed_key(key: object, kind: TextKind, change: Change) -> Any:
    new = change(Text(kind, str(key)))
    return key if new == str(key) else new


def _changed_object(value: object, kind: TextKind, change: Change) -> Any:
    """Any other object is sent as its JSON form: it stays what it is if nothing of that changes."""
    dumped = json_of(value)
    new = _changed_json(dumped, kind, change)
    return value if new == dumped else new


def _changed_return(value: ToolReturn[Any], kind: TextKind, change: Change) -> ToolReturn[Any]:
    content = value.content
    return replace(
        value,
        return_value=changed_value(value.return_value, kind, change),
        content=changed_value(content, kind, change) if content is not None else None,
    )


def _changed_file(file: BinaryContent, kind: TextKind, change: Change) -> BinaryContent:
    changes: dict[str, Any] = {}
    name = name_of({"identifier": file.identifier}, file.data)
    if name is not None and (called := change(Text(kind, name))) != name:
        changes["identifier"] = called
    if file.media_type.startswith(_TEXT_FILES):
        text = file.data.decode("utf-8", errors="surrogateescape")
        if (new := change(Text(kind, text))) != text:
            changes["data"] = new.encode("utf-8", errors="surrogateescape")
            changes.setdefault("identifier", name)
    return replace(file, **changes) if changes else file


def _changed_data(value: Mapping[Any, Any], kind: TextKind, change: Change) -> str | None:
    """The data of a text file as it is dumped, such as in an object that has one."""
    data, media_type = value.get("data"), value.get("media_type")
    is_file = value.get("kind") == "binary" and isinstance(data, str)
    if not is_file or not str(media_type).startswith(_TEXT_FILES):
        return None
    try:
        text = urlsafe_b64decode(str(data)).decode("utf-8", errors="surrogateescape")
    except ValueError:
        return None
    new = change(Text(kind, text))
    if new == text:
        return str(data)
    return urlsafe_b64encode(new.encode("utf-8", errors="surrogateescape")).decode("ascii")


def _is_unchanged(new: Any, old: Any) -> bool:
    """Whether nothing has changed; files are equal whatever they are called."""
    if type(new) is not type(old):
        return False
    if isinstance(old, BinaryContent):
        return new is old
    if isinstance(old, list | tuple):
        return len(new) == len(old) and all(map(_is_unchanged, new, old))
    if isinstance(old, dict):
        return list(new) == list(old) and all(map(_is_unchanged, new.values(), old.values()))
    return bool(new == old)
