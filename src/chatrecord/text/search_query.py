"""What somebody searches for: words, phrases, beginnings of words, and what is left out.

Any text is a query. Signs that mean nothing here separate words.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

LONGEST_QUERY = 255
"""Characters of a query."""

_PARTS = re.compile(r'(?P<minus>(?<!\S)-)?(?:"(?P<phrase>[^"]*)"?|(?P<word>[^\s"]+))')
_WITHOUT_SPACES = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
    "\uf900-\ufaff\uff66-\uff9f\U00020000-\U000323af]"
)
"""Letters of scripts that put no spaces between words, so that databases see no words in them."""


@dataclass(frozen=True, slots=True)
class Term:
    """Words that follow each other. With `is_prefix`, the last one may go on."""

    words: tuple[str, ...]
    is_prefix: bool = False

    @property
    def text(self) -> str:
        """The words with a space between each two."""
        return " ".join(self.words)

    @property
    def has_no_words(self) -> bool:
        """Whether it is written without spaces: it is found as a part of a text."""
        return _WITHOUT_SPACES.search(self.text) is not None


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """A text with all of `wanted` and none of `excluded`."""

    wanted: tuple[Term, ...]
    excluded: tuple[Term, ...] = ()


def parsed_query(text: str) -> SearchQuery:
    """The query that a text is. Without a word in it, nothing is wanted."""
    wanted: dict[Term, None] = {}
    excluded: dict[Term, None] = {}
    for part in _PARTS.finditer(text):
        raw = part["phrase"] if part["phrase"] is not None else part["word"]
        words = words_of(raw)
        if words:
            is_prefix = part["phrase"] is None and raw.endswith("*")
            into = excluded if part["minus"] else wanted
            into[Term(words, is_prefix)] = None
    return SearchQuery(tuple(wanted), tuple(excluded))


def words_of(text: str) -> tuple[str, ...]:
    """The words of a text: letters, digits and their marks, and nothing else."""
    return tuple("".join(map(_letter_or_space, text)).split())


def _letter_or_space(character: str) -> str:
    return character if unicodedata.category(character)[0] in "LMN" else " "


def folded(text: str) -> tuple[str, list[int]]:
    """The text without case and accents, and the place in the text of each of its characters."""
    if text.isascii():
        return text.lower(), list(range(len(text)))
    characters: list[str] = []
    places: list[int] = []
    for place, character in enumerate(text):
        for it in unicodedata.normalize("NFKD", character.casefold()):
            if unicodedata.category(it) != "Mn":
                characters.append(it)
                places.append(place)
    return "".join(characters), places
