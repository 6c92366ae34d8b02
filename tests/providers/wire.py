"""What the server needs to know about a provider's protocol; one module per provider has it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeAlias

from .answers import Answer, Refusal

Body: TypeAlias = dict[str, Any]
Speaker: TypeAlias = Literal["system", "user", "assistant", "thinking", "call", "result"]


@dataclass(frozen=True)
class Frame:
    """One server-sent event. A `piece` is content: it is what a paced answer waits before."""

    data: bytes
    piece: bool = False


@dataclass(frozen=True)
class Said:
    """One thing a request repeats of the chat, the same for every provider.

    `text` is the text, the arguments of a call, or the result of one; `id` is the call's, or the
    signature of a piece of thinking.
    """

    who: Speaker
    text: str
    id: str = ""


class Wire(Protocol):
    """A provider's protocol, as its server speaks it."""

    path: str
    """What the path of its requests begins with."""
    request_id_header: str | None

    def told_by(self, path: str) -> Body:
        """What a path tells that stands in the body elsewhere."""
        ...

    def frames(self, answer: Answer, body: Body, response_id: str) -> Iterator[Frame]:
        """The stream of an answer; without its closing events where the answer is cut."""
        ...

    def whole(self, answer: Answer, body: Body, response_id: str) -> Body:
        """The same answer as one JSON body, for a request that does not stream."""
        ...

    def malformed(self) -> Frame:
        """A content event whose JSON breaks off."""
        ...

    def overloaded(self) -> Frame:
        """The provider's error event inside a stream."""
        ...

    def refusal(self, refusal: Refusal, request_id: str | None) -> Body:
        """The body of an HTTP error."""
        ...

    def refusal_headers(self, refusal: Refusal) -> dict[str, str]:
        """The headers of an HTTP error."""
        ...

    def complaint(self, body: Body) -> str | None:
        """The first rule of the provider that a request breaks."""
        ...

    def said(self, body: Body) -> list[Said]:
        """What a request repeats of the chat, instructions included."""
        ...


def nothing_told_by(path: str) -> Body:
    """For the protocols whose bodies say everything."""
    return {}


def event(data: Body, *, name: str | None = None, piece: bool = False) -> Frame:
    return raw_event(json.dumps(data), name=name, piece=piece)


def raw_event(data: str, *, name: str | None = None, piece: bool = False) -> Frame:
    head = f"event: {name}\n" if name else ""
    return Frame(f"{head}data: {data}\n\n".encode(), piece=piece)
