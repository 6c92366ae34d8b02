"""The facts in a recorded body, in terms that all providers share."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal

from .recordings import Body


@dataclass(frozen=True)
class ResponseFacts:
    """What one response reports. A value that it does not report is `None`."""

    model: str
    response_id: str
    text: str
    reasoning: str | None
    calls: tuple[tuple[str | None, str, Body], ...]
    """The id, where the provider gives one, the name and the arguments of each call."""
    finish_reason: str
    input: int
    output: int
    cache_read: int | None
    cache_write: int | None
    long_cache_write: int
    """Those of the written tokens that are kept, and paid, for longer."""
    reasoning_tokens: int | None


@dataclass(frozen=True)
class Said:
    """One thing that a request repeats of the chat."""

    who: Literal["system", "user", "assistant", "thinking", "call", "result"]
    what: str
    id: str = ""
    signature: str = ""


def call_text(name: str, arguments: str | Body) -> str:
    """A call as text, the same whichever way its JSON is written."""
    given = json.loads(arguments or "{}") if isinstance(arguments, str) else arguments
    return f"{name} {json.dumps(given, sort_keys=True)}"


def joined(parts: list[str]) -> str | None:
    """Pieces of reasoning as one; none at all is `None`."""
    return "".join(parts) or None


def text_in(content: Any) -> str:
    """The text of a message's content, as text or as a list of parts."""
    if isinstance(content, str):
        return content
    return "".join(part["text"] for part in content or [])


def events(stream: str) -> list[Body]:
    """The JSON of a stream of server-sent events."""
    lines = [line.removeprefix("data:").strip() for line in stream.splitlines()]
    datas = [
        line for line, raw in zip(lines, stream.splitlines(), strict=True) if raw[:5] == "data:"
    ]
    return [json.loads(data) for data in datas if data != "[DONE]"]


def sse(data: Body, *, name: str | None = None) -> str:
    head = f"event: {name}\n" if name else ""
    return f"{head}data: {json.dumps(data)}\n\n"


def pieces(text: str, size: int = 7) -> list[str]:
    """A text as a stream cuts it: in the middle of words."""
    return [text[at : at + size] for at in range(0, len(text), size)]
