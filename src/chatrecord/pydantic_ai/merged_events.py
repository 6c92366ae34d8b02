"""Server-sent events whose texts continue each other, made into one: by provider's protocol."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias

_END = re.compile(rb"\r\n\r\n|\n\n|\r\r")
_Data: TypeAlias = dict[str, Any]
_Place: TypeAlias = tuple[dict[str, Any], str]

_NAMED = {"text_delta": "text", "thinking_delta": "thinking", "input_json_delta": "partial_json"}
"""Where Anthropic's deltas have their text."""

_SPOKEN = frozenset(("content", "reasoning_content", "reasoning"))
"""Where those of chat completions have it."""

_TEXTS = re.compile(r"response\.\w*(text|refusal|arguments|input|code)\.delta")
"""The events of responses that add to a text; others, such as audio, are no text."""

_OF_LAST = ("sequence_number", "usageMetadata")
"""What counts on: that of the last event holds for all."""

_PADDING = "obfuscation"
"""What OpenAI adds so that nobody learns the lengths of words from those of packets."""


class Merging:
    """Takes what has arrived of a stream, and gives its whole events, those that can be as one."""

    def __init__(self) -> None:
        self._begun = b""

    def merged(self, data: bytes) -> bytes:
        """The events that are whole by now."""
        data = self._begun + data
        ends = [found.end() for found in _END.finditer(data)]
        whole = ends[-1] if ends else 0
        self._begun = data[whole:]
        starts = [0, *ends[:-1]]
        events = [data[start:end] for start, end in zip(starts, ends, strict=bool(ends))]
        return events[0] if len(events) == 1 else b"".join(_joined(events))

    def rest(self) -> bytes:
        """An event that was cut off."""
        return self._begun


def _joined(events: Iterable[bytes]) -> Iterator[bytes]:
    open_delta: _Delta | None = None
    for event in events:
        delta = _Delta.of(event)
        if open_delta is not None and delta is not None and open_delta.takes(delta):
            continue
        if open_delta is not None:
            yield open_delta.event
        open_delta = delta
        if delta is None:
            yield event
    if open_delta is not None:
        yield open_delta.event


class _Delta:
    """An event that adds to a text, and what followed it."""

    def __init__(self, event: bytes, head: list[bytes], data: _Data, place: _Place) -> None:
        self._event, self._head, self._data = event, head, data
        self._held_by, self._key = place
        self._texts: list[str] = [self._held_by[self._key]]
        self._held_by[self._key] = ""
        self._padding = data.pop(_PADDING, None)
        self._counts = {name: data.pop(name) for name in _OF_LAST if name in data}

    @classmethod
    def of(cls, event: bytes) -> _Delta | None:
        lines = event.splitlines()
        datas = [line for line in lines if line.startswith(b"data:")]
        if len(datas) != 1 or not datas[0].endswith(b"}"):
            return None
        try:
            data = json.loads(datas[0][5:])
        except ValueError:
            return None
        place = _place_of(data) if isinstance(data, dict) else None
        if place is None or not isinstance(place[0].get(place[1]), str):
            return None
        head = [line for line in lines if line and line is not datas[0]]
        return cls(event, head, data, place)

    def takes(self, other: _Delta) -> bool:
        """Whether it is the same but for its text, which is then added."""
        is_same = self._data == other._data and self._head == other._head
        if is_same and self._counts.keys() == other._counts.keys():
            self._texts += other._texts
            self._counts = other._counts
            return True
        return False

    @property
    def event(self) -> bytes:
        """It with all texts."""
        if len(self._texts) == 1:
            return self._event
        self._held_by[self._key] = "".join(self._texts)
        data = json.dumps({**self._data, **self._counts}).encode()
        return b"\n".join([*self._head, b"data: " + data, b"", b""])


def _place_of(data: _Data) -> _Place | None:
    """Where an event has the text that it adds; `None` if it tells anything else."""
    kind = data.get("type")
    if kind == "content_block_delta":
        delta = data.get("delta")
        name = _NAMED.get(delta.get("type", "")) if isinstance(delta, dict) else None
        return None if name is None or not isinstance(delta, dict) else (delta, name)
    if isinstance(kind, str):
        return (data, "delta") if _TEXTS.fullmatch(kind) and not data.get("logprobs") else None
    choice = _only(data.get("choices"))
    if choice is not None:
        return None if data.get("usage") else _spoken(choice)
    candidate = _only(data.get("candidates"))
    content = candidate.get("content") if candidate is not None else None
    part = _only(content.get("parts")) if isinstance(content, dict) else None
    return (part, "text") if part is not None and part.keys() <= {"text", "thought"} else None


def _spoken(choice: _Data) -> _Place | None:
    delta = choice.get("delta")
    tells_more = choice.get("finish_reason") is not None or choice.get("logprobs")
    if not isinstance(delta, dict) or tells_more:
        return None
    said = [name for name, value in delta.items() if value is not None and name != "role"]
    return (delta, said[0]) if len(said) == 1 and said[0] in _SPOKEN else None


def _only(items: object) -> _Data | None:
    """The only one of a list."""
    alone = isinstance(items, list) and len(items) == 1 and isinstance(items[0], dict)
    return items[0] if alone else None  # type: ignore[index]
