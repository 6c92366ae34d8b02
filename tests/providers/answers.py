"""What a test scripts: an answer and the way it ends, or a refusal. No wire shapes here."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

Ending: TypeAlias = Literal[
    "whole",  # every closing event, then a clean end
    "truncated",  # a clean end of the body, but no closing events
    "dropped",  # the connection is closed in the middle of the body
    "reset",  # the connection is reset (RST) in the middle of the body
    "stalled",  # nothing more, until the client goes away
    "malformed",  # a data line of broken JSON
    "overloaded",  # the provider's own error event inside the stream
    "hung_up",  # the connection is closed before any response
    "silent",  # no response at all, until the client goes away
]


@dataclass(frozen=True)
class Call:
    """A tool call, as the model asks for it; `raw` is for arguments that are no JSON object."""

    id: str
    name: str
    arguments: dict[str, Any] = field(default_factory=dict)
    raw: str | None = None

    @property
    def json(self) -> str:
        return json.dumps(self.arguments) if self.raw is None else self.raw


@dataclass(frozen=True)
class Spent:
    """Tokens as chatrecord counts them: `input` includes the cache, `output` the reasoning.

    `None` leaves the detail out of the wire shape altogether.
    """

    input: int = 12
    output: int = 5
    cache_read: int | None = 0
    cache_write: int | None = 0
    reasoning: int | None = 0
    also: dict[str, Any] = field(default_factory=dict)
    """What some servers of OpenAI's protocols add to the usage, such as its cost."""


@dataclass(frozen=True)
class Answer:
    """A streamed answer, piece by piece.

    An answer that does not end `"whole"` sends all its pieces, but only half of the arguments of
    its last tool call, and no closing event. `signed` says whether a cut answer got as far as the
    signature of its reasoning; one that has begun its text or a call always has. Reasoning of empty
    text is reasoning the provider keeps to itself: it sends a signature only.
    """

    text: tuple[str, ...] = ()
    reasoning: tuple[str, ...] = ()
    calls: tuple[Call, ...] = ()
    spent: Spent | None = field(default_factory=Spent)
    ends: Ending = "whole"
    signed: bool = False
    full: bool = False
    """Whether the answer ends because it reached the limit of its length."""
    reason: str | None = None
    """A word of the provider's own for why the answer ended."""
    found: tuple[str, ...] = ()
    """Ids of the provider's own searches whose results the answer begins with (Anthropic)."""
    searches: tuple[str, ...] = ()
    """Ids of the provider's own searches that it begins after its text (Anthropic)."""
    paused: bool = False
    """Whether the provider pauses it, to be asked to continue it: a turn of Anthropic's, or a job in
    the background of OpenAI's responses, whose stream ends before it has."""
    goes_on: bool = False
    """Whether it goes on within the text of a job whose stream has ended before (OpenAI)."""
    marked: bool = True
    """Whether a whole answer ends with its protocol's end marker."""
    unended: bool = False
    """Whether the stream is over within that marker, without a blank line (chat completions)."""
    unexplained: bool = False
    """Whether a whole answer ends without a reason."""
    unnamed: bool = False
    """Whether there is not even a place for the reason (chat completions)."""
    refusal: tuple[str, ...] = ()
    """What the model says where it refuses to answer, of OpenAI's protocols and Anthropic."""
    tier: str = "default"
    """The service tier that answers, of OpenAI's chat completions."""
    plain: bool = False
    """Whether it comes as one JSON body, even if a stream was asked for."""
    counts_in_choice: bool = False
    """Whether its usage stands in its last choice, as Moonshot's does (chat completions)."""
    counts_as_it_goes: bool = False
    """Whether every chunk has the usage so far, as some servers of chat completions tell it."""
    delay: float = 0.0
    """Seconds before the first byte."""
    pause: float = 0.0
    """Seconds before each piece."""

    @property
    def is_whole(self) -> bool:
        return self.ends == "whole"

    def signed_by(self, provider: str) -> str:
        return sign("".join(self.reasoning), by=provider)

    @property
    def reasoning_is_closed(self) -> bool:
        return self.is_whole or self.signed or bool(self.text or self.calls)

    @property
    def text_is_closed(self) -> bool:
        return self.is_whole or bool(self.calls)

    def arguments_of(self, call: Call) -> tuple[str, str]:
        """The two halves the arguments are sent in; the second is empty where the answer is cut."""
        middle = len(call.json) // 2
        return call.json[:middle], "" if self.cuts(call) else call.json[middle:]

    def cuts(self, call: Call) -> bool:
        """Whether the answer breaks off within this call."""
        return not self.is_whole and call is self.calls[-1]

    @property
    def hides_reasoning(self) -> bool:
        return bool(self.reasoning) and not "".join(self.reasoning)


@dataclass(frozen=True)
class Refusal:
    """An HTTP error instead of an answer, in the provider's own words."""

    status: int
    kind: Literal[
        "rate_limit",
        "quota",
        "server_error",
        "overloaded",
        "unauthorised",
        "context",
        "invalid",
        "gateway",
    ]
    detail: str = ""
    """The secret a 401 repeats, or the rule a 400 complains about."""
    retry_after: float | None = None
    """Seconds. Sent as whole `retry-after` seconds, and as `retry-after-ms` where not whole."""


Scripted: TypeAlias = Answer | Refusal


def says(*pieces: str, **changes: Any) -> Answer:
    """An answer of plain text."""
    return Answer(text=pieces, **changes)


def rate_limited(retry_after: float | None = None) -> Refusal:
    return Refusal(429, "rate_limit", retry_after=retry_after)


def server_error(retry_after: float | None = None) -> Refusal:
    return Refusal(500, "server_error", retry_after=retry_after)


def overloaded() -> Refusal:
    return Refusal(529, "overloaded")


def bad_gateway() -> Refusal:
    """Not the provider but something before it: a page of HTML."""
    return Refusal(502, "gateway")


def out_of_quota() -> Refusal:
    """OpenAI's other 429: the account is empty, and waiting does not fill it."""
    return Refusal(429, "quota")


def unauthorised(secret: str) -> Refusal:
    return Refusal(401, "unauthorised", detail=secret)


def context_too_long() -> Refusal:
    return Refusal(400, "context")


def invalid(complaint: str) -> Refusal:
    return Refusal(400, "invalid", detail=complaint)


def sign(reasoning: str, *, by: str = "") -> str:
    """The signature a provider gives a piece of reasoning, and checks when it comes back.

    Another provider's signature of the same reasoning is a forged one to it.
    """
    whole = reasoning.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return f"{by}Sig{hashlib.sha256(whole.encode()).hexdigest()}"


def retry_headers(refusal: Refusal) -> dict[str, str]:
    """The waiting time in the headers that OpenAI and Anthropic use for it."""
    seconds = refusal.retry_after
    if seconds is None:
        return {}
    if seconds == int(seconds):
        return {"retry-after": str(int(seconds))}
    return {"retry-after": "1", "retry-after-ms": str(round(seconds * 1000))}
