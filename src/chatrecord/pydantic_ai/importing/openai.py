"""The messages of OpenAI's chat completions, as they are sent and received."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic_ai.messages import (
    ModelMessage,
    ModelRequest,
    ModelResponse,
    ModelResponsePart,
    SystemPromptPart,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolReturnPart,
    UserContent,
    UserPromptPart,
)

from .untrusted import Entry, bytes_of, file_at, prompt_of, together


def openai_messages(entries: list[Entry]) -> list[ModelMessage]:
    """A list of chat completion messages. Raises `ImportInvalid`."""
    names: dict[str, str] = {}
    return together([_message(entry, names) for entry in entries])


def _message(entry: Entry, names: dict[str, str]) -> ModelMessage:
    role = entry.text("role")
    if role in ("system", "developer"):
        return ModelRequest([SystemPromptPart(entry.plain())])
    if role == "user":
        parts = [_content(part) for part in entry.content()]
        return ModelRequest([UserPromptPart(prompt_of(parts))])
    if role == "assistant":
        return _answer(entry, names)
    if role == "tool":
        call_id = entry.text("tool_call_id")
        name = names.get(call_id) or entry.optional_text("name") or "unknown"
        return ModelRequest([ToolReturnPart(name, entry.plain(), call_id)])
    return entry.refuse(
        f"has the role {role!r}: known are system, developer, user, assistant, tool"
    )


def _answer(entry: Entry, names: dict[str, str]) -> ModelMessage:
    parts: list[ModelResponsePart] = []
    thought = entry.optional_text("reasoning_content") or entry.optional_text("reasoning")
    if thought:
        parts.append(ThinkingPart(thought))
    for part in entry.content():
        kind = part.text("type")
        if kind not in ("text", "refusal"):
            entry.refuse(f"is an answer with a part {kind!r}: known are text and refusal")
        if part.text(kind):
            parts.append(TextPart(part.text(kind)))
    if refusal := entry.optional_text("refusal"):
        parts.append(TextPart(refusal))
    parts += [_call(call, names) for call in entry.parts("tool_calls")]
    return ModelResponse(parts)


def _call(call: Entry, names: dict[str, str]) -> ToolCallPart:
    kind = call.optional_text("type") or "function"
    if kind not in ("function", "custom"):
        call.refuse(f"has a tool call of the type {kind!r}: known are function and custom")
    function, call_id = call.part(kind), call.text("id")
    names[call_id] = function.text("name")
    arguments = function.text("arguments" if kind == "function" else "input")
    return ToolCallPart(function.text("name"), arguments, call_id)


def _content(part: Entry) -> UserContent:
    kind = part.text("type")
    if kind not in _PARTS:
        part.refuse(f"has a part {kind!r}: known are {', '.join(_PARTS)}")
    return _PARTS[kind](part)


def _file(part: Entry) -> UserContent:
    file = part.part("file")
    if file.optional_text("file_data") is None:
        part.refuse("has a file that is only an id at OpenAI: put its data there instead")
    return file_at(part, file.text("file_data"))


def _audio(part: Entry) -> UserContent:
    audio: Any = part.part("input_audio")
    return bytes_of(part, audio.text("data"), f"audio/{audio.text('format')}")


def _image(part: Entry) -> UserContent:
    return file_at(part, part.part("image_url").text("url"))


_PARTS: dict[str, Callable[[Entry], UserContent]] = {
    "text": lambda part: part.text("text"),
    "image_url": _image,
    "input_audio": _audio,
    "file": _file,
}
