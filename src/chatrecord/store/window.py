"""The part of a chat that a request contains."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chatrecord.records import Message
from chatrecord.text.arguments import check_count

from .token_estimates import (
    CHARACTERS_PER_TOKEN,
    Estimator,
    characters_of,
    estimate_tokens,
    most_characters_of,
)


@dataclass(frozen=True, slots=True)
class Window:
    """The most recent part of the history that is sent.

    At most `messages` messages and `tokens` estimated tokens. It starts at a user message. A single
    round that is too large is sent whole.

    Tokens are estimated: four characters of all that is sent are one (texts, reasoning, arguments
    and results of tools), an image is 1,500, other files count by their size. `estimator` replaces
    that: a function that returns the tokens of a `Message`.
    """

    messages: int = 400
    tokens: int = 200_000
    estimator: Estimator | None = None

    def __post_init__(self) -> None:
        check_count("Window(messages", self.messages)
        check_count("Window(tokens", self.tokens)

    def cut(self, history: Sequence[Message]) -> list[Message]:
        """The part of `history` (oldest first) that fits, starting at a user message.

        A summary at its beginning is kept.
        """
        if history and history[0].role == "summary":
            return [history[0], *self.cut(history[1:])]
        begin = self._first_round(history) if self._holds_all(history) else self._begin(history)
        return [] if begin is None else list(history[begin:])

    def _holds_all(self, history: Sequence[Message]) -> bool:
        """Whether that can be told without a look into the contents."""
        if self.estimator is not None or len(history) > self.messages:
            return False
        characters = 0
        for message in history:
            most = most_characters_of(message)
            if most is None:
                return False
            characters += most
        return self._holds(characters)

    def _first_round(self, history: Sequence[Message]) -> int | None:
        rounds = (place for place, message in enumerate(history) if begins_round(message))
        return next(rounds, None)

    def _begin(self, history: Sequence[Message]) -> int | None:
        """Where the earliest round begins that fits with all after it; the last if none does."""
        begin, characters = None, 0
        for place in range(len(history) - 1, -1, -1):
            characters += characters_of(history[place], self.estimator)
            fits = len(history) - place <= self.messages and self._holds(characters)
            if begin is not None and not fits:
                break
            if begins_round(history[place]):
                begin = place
        return begin

    def estimate(self, messages: Sequence[Message]) -> int:
        """The estimated tokens of these messages."""
        return estimate_tokens(messages, self.estimator)

    def _holds(self, characters: int) -> bool:
        return characters // CHARACTERS_PER_TOKEN <= self.tokens


def begins_round(message: Message) -> bool:
    """Whether a window may start here."""
    return message.role == "user"
