"""A message of another library, looked into with care."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from pydantic_ai.messages import (
    BinaryContent,
    DocumentUrl,
    ImageUrl,
    ModelMessage,
    ModelRequest,
    ToolReturnPart,
    UserContent,
)

from chatrecord.errors import ImportInvalid


@dataclass(frozen=True, slots=True)
class Entry:
    """A message, or a part of one, and the number of the message from 1."""

    place: int
    value: object

    def refuse(self, what: str, cause: Exception | None = None) -> NoReturn:
        """Raise `ImportInvalid`, which says so."""
        msg = f"Message {self.place} {what}"
        raise ImportInvalid(msg, line=self.place) from cause

    def fields(self) -> Mapping[str, Any]:
        """It is an object."""
        if not isinstance(self.value, Mapping):
            self.refuse(f"has a {type(self.value).__name__} where an object belongs")
        return self.value

    def text(self, name: str) -> str:
        """The text that it has to have under this name."""
        found = self.fields().get(name)
        if not isinstance(found, str):
            self.refuse(f"has no text under {name!r}")
        return found

    def optional_text(self, name: str) -> str | None:
        """The text that it may have under this name."""
        return None if self.fields().get(name) is None else self.text(name)

    def part(self, name: str) -> Entry:
        """The object under this name."""
        inner = Entry(self.place, self.fields().get(name))
        inner.fields()
        return inner

    def parts(self, name: str) -> list[Entry]:
        """The objects in the list under this name, if there is one."""
        found = self.fields().get(name)
        if found is None:
            return []
        if not isinstance(found, Sequence) or isinstance(found, str):
            self.refuse(f"has no list under {name!r}")
        return [Entry(self.place, each) for each in found]

    def content(self) -> list[Entry]:
        """Its content as a list of parts, be it one text or many parts."""
        found = self.fields().get("content")
        if found is None:
            return []
        if isinstance(found, str):
            return [Entry(self.place, {"type": "text", "text": found})]
        return [
            Entry(self.place, {"type": "text", "text": part.value})
            if isinstance(part.value, str)
            else part
            for part in self.parts("content")
        ]

    def plain(self) -> str:
        """Its content, which is text and nothing else."""
        texts = []
        for part in self.content():
            if part.text("type") != "text":
                self.refuse(f"has a part {part.text('type')!r} where only text belongs")
            texts.append(part.text("text"))
        return "\n".join(texts)


def file_at(entry: Entry, url: str) -> UserContent:
    """What is behind a URL, or in it."""
    if not url.startswith("data:"):
        return ImageUrl(url)
    try:
        return BinaryContent.from_data_uri(url)
    except (ValueError, TypeError, LookupError) as error:
        entry.refuse("has a data: URL that cannot be read", error)


def bytes_of(entry: Entry, data: str, media_type: str) -> UserContent:
    """A file that is given as base64."""
    return file_at(entry, f"data:{media_type};base64,{data}")


def document_at(url: str) -> UserContent:
    """A document somewhere else."""
    return DocumentUrl(url)


def prompt_of(parts: list[UserContent]) -> str | list[UserContent]:
    """The content of a prompt: one text where it is only that."""
    (first, *more) = parts or [""]
    return first if isinstance(first, str) and not more else parts


def together(messages: list[ModelMessage]) -> list[ModelMessage]:
    """The results of the calls of one answer, which pydantic-ai holds in one message."""
    found: list[ModelMessage] = []
    for message in messages:
        last = found[-1] if found else None
        if _is_results(message) and last is not None and _is_results(last):
            found[-1] = ModelRequest([*last.parts, *message.parts])
        else:
            found.append(message)
    return found


def _is_results(message: ModelMessage) -> bool:
    return isinstance(message, ModelRequest) and all(
        isinstance(part, ToolReturnPart) for part in message.parts
    )
