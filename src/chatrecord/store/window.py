"""How much of a chat's history a request gets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chatrecord.records import Json, Message
from chatrecord.text.arguments import check_count

CHARACTERS_PER_TOKEN = 4
"""A common rule of thumb for English text (OpenAI's tokenizer guide); other scripts need more."""


@dataclass(frozen=True, slots=True)
class Window:
    """The end of a chat that is sent along: at most so many messages and estimated tokens.

    The window never begins inside a tool round: it starts at a message of the user. One long round
    is kept whole even where it is larger than the window.
    """

    messages: int = 400
    tokens: int = 200_000

    def __post_init__(self) -> None:
        check_count("Window(messages", self.messages)
        check_count("Window(tokens", self.tokens)

    def cut(self, history: Sequence[Message]) -> list[Message]:
        """The part of `history` (oldest first) that fits, from a user's message on.

        A summary of what came before, at its beginning, is kept.
        """
        if history and history[0].role == "summary":
            return [history[0], *self.cut(history[1:])]
        starts = [place for place, message in enumerate(history) if begins_round(message)]
        if not starts:
            return []
        fitting = (start for start in starts if self._holds(history[start:]))
        return list(history[next(fitting, starts[-1]) :])

    def _holds(self, messages: Sequence[Message]) -> bool:
        return len(messages) <= self.messages and estimate_tokens(messages) <= self.tokens


def estimate_tokens(messages: Sequence[Message]) -> int:
    """About how many tokens these messages are, by their characters."""
    return sum(_characters(message) for message in messages) // CHARACTERS_PER_TOKEN


def begins_round(message: Message) -> bool:
    """Whether a window may start here."""
    return message.role == "user"


def _characters(message: Message) -> int:
    if message.role == "tool":
        return _characters_of(message.content)
    return len(message.text) + len(message.reasoning or "")


def _characters_of(content: Json) -> int:
    if isinstance(content, str):
        return len(content)
    if isinstance(content, dict):
        return sum(map(_characters_of, content.values()))
    if isinstance(content, list):
        return sum(map(_characters_of, content))
    return 0
