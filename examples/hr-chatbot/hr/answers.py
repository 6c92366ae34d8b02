"""Which words of the handbook answer a question: a quote or two, or none.

Every sentence of the passages found has a score, a sum of

- the cosines of the question to the sentence, its paragraph and its heading,
- the share of the question's words that paragraph and heading have, and that the sentence has: the
  same words, synonyms, or words near in meaning, rare ones weighing more,
- whether the sentence has the form that the question wants: a sum, a date, a yes or no.

The best sentence is quoted with what stands around it. Where another paragraph comes close it is
quoted too. Where it is not sure enough that the best one answers, there is no answer. That depends
on its score, on the word of the question that it lacks most, on how much a question says, on
whether it has one of the forms that a handbook answers, and on whether it is about the one who
asks, whom a handbook is written for. The weights were fitted, see `evaluate`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .indexes import telling_words
from .lexicon import Lexicon, stem, stems_of
from .search import Search
from .synonyms import with_synonyms
from .texts import printable
from .vectors import Vector
from .wants import form_of_answer, is_personal

LONGEST_QUOTE = 450
"""Characters: every paragraph of the handbook is shorter."""

LONGEST_SECOND = 250

LONGEST_QUESTION = 300
MOST_WORDS = 20_000
"""Whose vectors are kept."""

Features = Mapping[str, float]

WEIGHTS: Features = {
    "paragraph": 1.0,
    "sentence": 0.59,
    "heading": 0.61,
    "words": 0.48,
    "said": 0.23,
    "form": 0.09,
}
"""Fitted on 60 of the questions of the evaluation, the other 30 held out."""

SURENESS: Features = {
    "score": 1.0,
    "words": 0.76,
    "missing": -0.09,
    "length": 0.05,
    "form": 0.23,
    "personal": 0.36,
}
"""Fitted by logistic regression on those 60 questions, 60 more, and 99 that the handbook does not
answer. Length counts telling words, missing is the weight of the word that is spoken of least."""

LEAST = 1.78
"""The sureness from which on there is an answer, chosen with the same questions."""

MOST_LENGTH = 6
"""Telling words: more of them make nothing surer."""

MARGIN = 0.2
"""How close a second paragraph comes to be quoted."""

_SYNONYM = 0.8
_NEAR = 0.9
_FAR = 0.3
"""A cosine between words from which on they have something to do with one another."""


@dataclass(frozen=True)
class Quote:
    """Sentences of a passage, and those after them in its paragraph."""

    number: int
    text: str
    more: tuple[str, ...] = ()


@dataclass(frozen=True)
class Candidate:
    """A sentence in its paragraph."""

    number: int
    sentences: tuple[str, ...]
    place: int
    features: Features
    missing: float
    """The weight of that word of the question of which the paragraph speaks least."""

    @property
    def score(self) -> float:
        return sum(WEIGHTS[name] * value for name, value in self.features.items())

    def quote(self, longest: int) -> Quote:
        """The sentence with as much as fits: first what follows, then what stands before."""
        first = last = self.place
        while True:
            if last + 1 < len(self.sentences) and self._fits(first, last + 1, longest):
                last += 1
            elif first and self._fits(first - 1, last, longest):
                first -= 1
            else:
                break
        return Quote(self.number, self._text(first, last), self.sentences[last + 1 :])

    def _fits(self, first: int, last: int, longest: int) -> bool:
        return len(self._text(first, last)) <= longest

    def _text(self, first: int, last: int) -> str:
        return " ".join(self.sentences[first : last + 1])


class Answers:
    """Chooses among the passages that a search has found."""

    def __init__(self, search: Search) -> None:
        self._search = search
        self._words: dict[str, Vector] = {}

    async def __call__(
        self, question: str, passages: Sequence[Mapping[str, Any]]
    ) -> tuple[Quote, ...]:
        """The quotes that answer the question; none if nothing does."""
        if not passages:
            return ()
        question = question[:LONGEST_QUESTION]
        candidates = await self.candidates(question, passages)
        ranked = sorted(candidates, key=lambda it: -it.score)
        if not ranked or sureness(question, ranked[0]) < LEAST:
            return ()
        return tuple(_quotes(ranked))

    async def candidates(
        self, question: str, passages: Sequence[Mapping[str, Any]]
    ) -> list[Candidate]:
        """Every sentence of the passages, with what speaks for it."""
        asked = _Asked(question, await self._search.lexicon())
        paragraphs = [(it, text) for it in passages for text in paragraphs_of(it["text"])]
        said = (word for it, text in paragraphs for word in _telling(it, text))
        await self._learn({*asked.weights, *said})
        texts = [*dict.fromkeys(_texts(question, paragraphs))]
        vectors = dict(zip(texts, await self._search.embedder.embed(texts), strict=True))
        return [
            candidate
            for passage, paragraph in paragraphs
            for candidate in self._of(asked, passage, paragraph, vectors)
        ]

    def _of(
        self,
        asked: _Asked,
        passage: Mapping[str, Any],
        paragraph: str,
        vectors: Mapping[str, Vector],
    ) -> Iterator[Candidate]:
        sentences = tuple(sentences_of(paragraph))
        question = vectors[asked.question]
        above = _heading(passage)
        spoken_of = self._spoken_of(asked, f"{paragraph} {above}")
        for place, sentence in enumerate(sentences):
            features = {
                "paragraph": float(question @ vectors[paragraph]),
                "sentence": float(question @ vectors[sentence]),
                "heading": float(question @ vectors[above]),
                "words": asked.share(spoken_of),
                "said": asked.share(self._spoken_of(asked, sentence)),
                "form": float(bool(asked.form and asked.form.search(sentence.lower()))),
            }
            missing = asked.missing(spoken_of)
            yield Candidate(passage["number"], sentences, place, features, missing)

    def _spoken_of(self, asked: _Asked, text: str) -> Features:
        """How much the text speaks of each word of the question, from 0 to 1."""
        stems = stems_of(text)
        vectors = [self._words[word] for word in telling_words(text)]
        near = np.stack(vectors) if vectors else None
        return {word: self._found(word, stems, near) for word in asked.weights}

    def _found(self, word: str, stems: frozenset[str], near: Vector | None) -> float:
        if stem(word) in stems:
            return 1.0
        nearest = float((near @ self._words[word]).max()) if near is not None else 0.0
        likeness = _NEAR * max(0.0, (nearest - _FAR) / (1 - _FAR))
        is_synonym = any(stem(name) in stems for name in with_synonyms([word]))
        return max(likeness, _SYNONYM * is_synonym)

    async def _learn(self, words: set[str]) -> None:
        """Look up the vectors of words that were not met before."""
        new = sorted(words - self._words.keys())
        if len(self._words) + len(new) > MOST_WORDS:
            self._words.clear()
            new = sorted(words)
        self._words |= dict(zip(new, await self._search.embedder.embed(new), strict=True))


class _Asked:
    """A question, taken apart."""

    def __init__(self, question: str, lexicon: Lexicon) -> None:
        self.question = question
        self.form = form_of_answer(question)
        self.weights = {word: lexicon.weight(word) for word in telling_words(question)}

    def share(self, spoken_of: Features) -> float:
        """How much of what is asked is spoken of, from 0 to 1."""
        found = sum(weight * spoken_of[word] for word, weight in self.weights.items())
        return found / (sum(self.weights.values()) or 1)

    def missing(self, spoken_of: Features) -> float:
        lacking = (weight * (1 - spoken_of[word]) for word, weight in self.weights.items())
        return max(lacking, default=0.0)


def sureness(question: str, best: Candidate) -> float:
    """How sure it is that the handbook answers, and with this: from about 0 to 4."""
    signs = {
        "score": best.score,
        "words": best.features["words"],
        "missing": best.missing,
        "length": min(len(telling_words(question)), MOST_LENGTH),
        "form": float(form_of_answer(question) is not None),
        "personal": float(is_personal(question)),
    }
    return sum(SURENESS[name] * value for name, value in signs.items())


def _quotes(ranked: Sequence[Candidate]) -> Iterator[Quote]:
    """The best, and the best of another paragraph if it comes close."""
    best = ranked[0]
    yield best.quote(LONGEST_QUOTE)
    other = next((it for it in ranked if it.sentences != best.sentences), None)
    if other and best.score - other.score < MARGIN:
        second = other.quote(LONGEST_SECOND)
        yield Quote(second.number, second.text)


def paragraphs_of(text: str) -> list[str]:
    """Each in one line."""
    blocks = (" ".join(printable(block).split()) for block in re.split(r"\n\s*\n", text))
    return [block for block in blocks if block]


def sentences_of(paragraph: str) -> list[str]:
    """Cut behind what ends a sentence."""
    return re.split(r"(?<=[.!?])\s+", paragraph)


def _heading(passage: Mapping[str, Any]) -> str:
    return f"{passage['title']}: {passage['heading']}"


def _telling(passage: Mapping[str, Any], paragraph: str) -> list[str]:
    return telling_words(f"{paragraph} {_heading(passage)}")


def _texts(question: str, paragraphs: Sequence[tuple[Mapping[str, Any], str]]) -> Iterator[str]:
    yield question
    for passage, paragraph in paragraphs:
        yield _heading(passage)
        yield paragraph
        yield from sentences_of(paragraph)


def compared_texts(passage: Mapping[str, Any]) -> Iterator[str]:
    """All of a passage whose vectors answers are chosen by."""
    paragraphs = paragraphs_of(passage["text"])
    yield from _texts(_heading(passage), [(passage, paragraph) for paragraph in paragraphs])
    for paragraph in paragraphs:
        yield from _telling(passage, paragraph)
