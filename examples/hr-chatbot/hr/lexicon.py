"""The words of the handbook, and how much each of them says."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

_ENDINGS = ("ings", "ing", "ied", "ies", "ed", "es", "s", "ly", "e")
_SHORTEST_STEM = 3


def words_of(text: str) -> list[str]:
    """Words and figures, in small letters."""
    return re.findall(r"[a-z0-9]+(?:[.,]\d+)*", text.lower())


def stem(word: str) -> str:
    """The word without its ending, so that "paid leave" and "leaves are paid" meet."""
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _SHORTEST_STEM:
            return word.removesuffix(ending)
    return word


def stems_of(text: str) -> frozenset[str]:
    return frozenset(map(stem, words_of(text)))


@dataclass(frozen=True)
class Lexicon:
    """In how many of the passages each stem occurs."""

    passages: int
    counts: Counter[str]

    @classmethod
    def of(cls, texts: Sequence[str]) -> Lexicon:
        return cls(len(texts), Counter(word for text in texts for word in stems_of(text)))

    def weight(self, word: str) -> float:
        """Its inverse document frequency: what nearly every passage says counts for nothing."""
        return max(0.0, math.log((self.passages + 1) / (self.counts[stem(word)] + 0.5)))
