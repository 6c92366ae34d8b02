"""The messages of LangChain, as `messages_to_dict` dumps them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

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
from pydantic_ai.usage import RequestUsage

from .untrusted import Entry, bytes_of, document_at, file_at, prompt_of, together

_CALLS = ("tool_use", "tool_call", "function_call", "input_json_delta", "tool_call_chunk")
"""Parts of an answer that say once more what its tool calls say."""


def langchain_messages(entries: list[Entry]) -> list[ModelMessage]:
    """A list of dumped messages. Raises `ImportInvalid`."""
    names: dict[str, str] = {}
    return together([_message(entry, names) for entry in entries])


def _message(entry: Entry, names: dict[str, str]) -> ModelMessage:
    kind = entry.text("type").removesuffix("MessageChunk").lower()
    data = entry.part("data") if "data" in entry.fields() else entry
    if kind == "system":
        return ModelRequest([SystemPromptPart(data.plain())])
    if kind == "human":
        parts = [_content(part) for part in data.content()]
        return ModelRequest([UserPromptPart(prompt_of(parts))])
    if kind == "ai":
        return _answer(data, names)
    if kind == "tool":
        return ModelRequest([_result(data, names)])
    return entry.refuse(f"has the type {kind!r}: known are system, human, ai and tool")


def _answer(data: Entry, names: dict[str, str]) -> ModelResponse:
    parts = [part for content in data.content() for part in _said(content)]
    calls = (*data.parts("tool_calls"), *data.parts("invalid_tool_calls"))
    parts += [_call(call, names) for call in calls]
    about = data.fields().get("response_metadata")
    named: Mapping[str, object] = about if isinstance(about, Mapping) else {}
    model = named.get("model_name") or named.get("model")
    provider = named.get("model_provider")
    return ModelResponse(
        parts,
        usage=_usage(data),
        model_name=model if isinstance(model, str) else None,
        provider_name=provider if isinstance(provider, str) else None,
    )


def _said(part: Entry) -> list[ModelResponsePart]:
    kind = part.text("type")
    if kind == "text":
        return [TextPart(part.text("text"))] if part.text("text") else []
    if kind == "thinking":
        return [ThinkingPart(part.text("thinking"), signature=part.optional_text("signature"))]
    if kind == "reasoning":
        thought = part.optional_text("reasoning")
        summary = [each.text("text") for each in part.parts("summary")]
        text = thought or "\n\n".join(summary)
        return [ThinkingPart(text)] if text else []
    if kind in _CALLS:
        return []
    return part.refuse(f"is an answer with a part {kind!r}: known are text, thinking and reasoning")


def _call(call: Entry, names: dict[str, str]) -> ToolCallPart:
    arguments = call.fields().get("args")
    if not isinstance(arguments, Mapping | str):
        call.refuse("has a tool call without args")
    call_id, name = call.text("id"), call.text("name")
    names[call_id] = name
    return ToolCallPart(name, arguments if isinstance(arguments, str) else dict(arguments), call_id)


def _result(data: Entry, names: dict[str, str]) -> ToolReturnPart:
    call_id = data.text("tool_call_id")
    name = names.get(call_id) or data.optional_text("name") or "unknown"
    content: object = data.fields().get("content")
    outcome = "failed" if data.optional_text("status") == "error" else "success"
    return ToolReturnPart(name, content, call_id, outcome=outcome)  # type: ignore[arg-type]


def _usage(data: Entry) -> RequestUsage:
    if data.fields().get("usage_metadata") is None:
        return RequestUsage()
    metadata = data.part("usage_metadata")
    read, wrote = _count(metadata, "input_token_details", "cache_read", "cache_creation")
    (reasoning,) = _count(metadata, "output_token_details", "reasoning")
    usage = RequestUsage(
        input_tokens=_whole(metadata.fields().get("input_tokens")),
        output_tokens=_whole(metadata.fields().get("output_tokens")),
        cache_read_tokens=read,
        cache_write_tokens=wrote,
    )
    if reasoning:
        usage.details = {"reasoning_tokens": reasoning}
    return usage


def _count(metadata: Entry, name: str, *kinds: str) -> list[int]:
    details = metadata.fields().get(name)
    counts: Mapping[str, object] = details if isinstance(details, Mapping) else {}
    return [_whole(counts.get(kind)) for kind in kinds]


def _whole(value: object) -> int:
    return value if isinstance(value, int) and 0 <= value < 2**31 else 0


def _content(part: Entry) -> UserContent:
    kind = part.text("type")
    if kind not in _PARTS:
        part.refuse(f"has a part {kind!r}: known are {', '.join(_PARTS)}")
    return _PARTS[kind](part)


def _image_url(part: Entry) -> UserContent:
    url = part.fields().get("image_url")
    return file_at(part, url if isinstance(url, str) else part.part("image_url").text("url"))


def _file(part: Entry) -> UserContent:
    """A block of a file in either of the two spellings that LangChain has had."""
    url = part.optional_text("url")
    if url is not None:
        return document_at(url) if part.text("type") == "file" else file_at(part, url)
    data = part.optional_text("base64") or part.optional_text("data")
    if data is None:
        part.refuse("has a file without its data: put it there as base64, or its url")
    return bytes_of(part, data, part.text("mime_type"))


_PARTS: dict[str, Callable[[Entry], UserContent]] = {
    "text": lambda part: part.text("text"),
    "image_url": _image_url,
    "image": _file,
    "audio": _file,
    "file": _file,
}
