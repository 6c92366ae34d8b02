"""What the first word means: a command, or the beginning of a question."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from difflib import get_close_matches

from chatrecord.errors import ConfigurationError

from .confirmation import can_ask, is_confirmed
from .program import PROGRAM

_OPTIONS = ("-h", "--help", "--version")
_LIKE_A_COMMAND = re.compile(r"[a-z][a-z-]*")
_SLIP = 0.75
"""The similarity above which a word is taken for a typo of another: usge, shwo, exprot."""


def with_command(words: Sequence[str], commands: Collection[str]) -> list[str]:
    """The words, with `chat` before a question and before the options of `chat`.

    Raises `ConfigurationError` for a word that may be a typo, unless the user confirms it.
    """
    if not words or words[0] in (*_OPTIONS, *commands):
        return list(words)
    if _may_be_a_slip(words, commands):
        _make_sure(words[0], commands)
    return ["chat", *words]


def _may_be_a_slip(words: Sequence[str], commands: Collection[str]) -> bool:
    word, *others = words
    if not _LIKE_A_COMMAND.fullmatch(word):
        return False
    values = [other for other in others if not other.startswith("-")]
    # A question is rarely a word, and rarely two of which the first is a command with a slip. A
    # slip is rarely in the first letter: "what" is no "chat".
    return not values or (len(values) == 1 and _meant(word, commands, _SLIP)[:1] == word[:1])


def _make_sure(word: str, commands: Collection[str]) -> None:
    meant = _meant(word, commands)
    if not can_ask():
        hint = f"did you mean {PROGRAM} {meant}?" if meant else f"see {PROGRAM} --help."
        msg = f'"{word}" is no command: {hint} To ask it as a question: {PROGRAM} chat "{word}"'
        raise ConfigurationError(msg)
    hint = f"is no command ({meant} is)" if meant else "is no command"
    if not is_confirmed(f'"{word}" {hint}. Ask the LLM "{word}"?'):
        msg = f"Nothing was asked. Run {PROGRAM} {meant or '--help'}"
        raise ConfigurationError(msg)


def _meant(word: str, commands: Collection[str], alike: float = 0.6) -> str:
    """The command that is most like the word, or nothing."""
    return next(iter(get_close_matches(word, commands, 1, alike)), "")
