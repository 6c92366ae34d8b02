"""Search in what was said: the same order on every database, made of the owner's texts alone."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

from chatrecord.runs.process import Backend
from chatrecord.store.chat_store import Scope
from chatrecord.store.search_store import FoundText
from chatrecord.text.arguments import check_count
from chatrecord.text.search_query import LONGEST_QUERY, SearchQuery, Term, folded, parsed_query

from .search_hits import SearchHit, Snippet

MOST = 500
"""The newest matches that are ranked."""

LONGEST = 50_000
"""Characters of a text that are read."""

SNIPPET = 200
"""Characters of a snippet, unless it is told otherwise."""

_SHORTEST_SNIPPET = 20
_TITLE = "title"
_USUAL = 600
"""Characters of a text whose length changes nothing."""

_TITLES_COUNT = 2.0
_PHRASE_COUNTS = 0.5

_BETWEEN = r"[\W_]+"

Marks = list[tuple[int, int]]
"""Where the words of a query are in a text."""


async def search_messages(
    backend: Backend,
    query: str,
    *,
    limit: int,
    after: SearchHit | None,
    superseded: bool,
    scope: Scope,
    snippet: int = SNIPPET,
) -> list[SearchHit]:
    """The best of the newest texts within the scope that fit the query."""
    check_count("limit", limit)
    check_snippet(snippet)
    wanted = parsed_query(checked_query(query))
    if not wanted.wanted:
        return []
    found = await backend.store.shown.search(
        wanted, scope, superseded=superseded, most=MOST, longest=LONGEST
    )
    ranked = sorted((_ranked(each, wanted) for each in found), key=_place, reverse=True)
    if after is not None:
        last = (after.rank, after.message_id is None, after.message_id or after.chat_id)
        ranked = [each for each in ranked if _place(each) < last]
    return [each.hit(snippet) for each in ranked[:limit]]


def check_snippet(length: object) -> None:
    """Raise `TypeError` or `ValueError` for what is no length of a snippet."""
    check_count("snippet", length, least=_SHORTEST_SNIPPET)


def checked_query(query: object) -> str:
    """The query. Raises `TypeError` or `ValueError` for what is none."""
    if not isinstance(query, str):
        msg = f"search_messages() takes a text to search for, not {type(query).__name__}"
        raise TypeError(msg)
    if len(query) > LONGEST_QUERY:
        msg = f"A query has at most {LONGEST_QUERY} characters, not {len(query)}"
        raise ValueError(msg)
    return query


@dataclass(frozen=True, slots=True)
class _Ranked:
    found: FoundText
    rank: float
    marks: Marks

    def hit(self, snippet: int) -> SearchHit:
        found = self.found
        return SearchHit(
            chat_id=found.chat_id,
            title=found.title,
            message_id=found.message_id,
            seq=found.seq,
            role=found.role,
            snippet=snippet_of(found.text, self.marks, snippet),
            rank=self.rank,
            created_at=found.created_at,
        )


def _place(ranked: _Ranked) -> tuple[float, bool, UUID]:
    found = ranked.found
    return ranked.rank, found.message_id is None, found.message_id or found.chat_id


def _ranked(found: FoundText, query: SearchQuery) -> _Ranked:
    text, places = folded(found.text)
    per_term = [_marks_of(text, places, pattern_of(term)) for term in query.wanted]
    # What the database found by another form of the word counts as found once.
    rank = sum(_weight(max(1, len(marks)), len(found.text)) for marks in per_term)
    if len(query.wanted) > 1 and _all_together(query.wanted).search(text):
        rank += _PHRASE_COUNTS
    if found.role == _TITLE:
        rank *= _TITLES_COUNT
    return _Ranked(found, round(rank, 6), _merged(per_term))


def _weight(count: int, length: int) -> float:
    """Every further place counts less, and in a long text each counts less."""
    return count * 2.2 / (count + 1.2 * (0.25 + 0.75 * length / _USUAL))


@lru_cache(maxsize=256)
def pattern_of(term: Term) -> re.Pattern[str]:
    """Where a term is in a folded text."""
    if term.has_no_words:
        return re.compile(_together(term))
    end = r"[^\W_]*" if term.is_prefix else r"(?![^\W_])"
    return re.compile(rf"(?<![^\W_]){_together(term)}{end}")


@lru_cache(maxsize=64)
def _all_together(terms: tuple[Term, ...]) -> re.Pattern[str]:
    return re.compile(_BETWEEN.join(_together(term) for term in terms))


def _together(term: Term) -> str:
    return _BETWEEN.join(re.escape(folded(word)[0]) for word in term.words)


def _marks_of(text: str, places: Sequence[int], pattern: re.Pattern[str]) -> Marks:
    return [
        (places[it.start()], places[it.end() - 1] + 1)
        for it in pattern.finditer(text)
        if it.end() > it.start()
    ]


def _merged(per_term: Sequence[Marks]) -> Marks:
    merged: Marks = []
    for start, end in sorted(mark for marks in per_term for mark in marks):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def snippet_of(text: str, marks: Marks, size: int = SNIPPET) -> Snippet:
    """The part of a text with the most marks. Line breaks and other spaces become single spaces."""
    start = _start(text, _best(marks, size), size)
    end = min(len(text), start + size)
    if end < len(text):
        end = max(start + size // 2, text.rfind(" ", start, end + 1))
    shown, kept = _in_one_line(text, start, end, marks)
    before, behind = "… " if start else "", " …" if end < len(text) else ""
    moved = tuple((begin + len(before), stop + len(before)) for begin, stop in kept)
    return Snippet(f"{before}{shown}{behind}", moved)


def _best(marks: Marks, size: int) -> int:
    """The first mark of those that a snippet shows most of."""
    counts = [sum(begin <= other < begin + size for other, _ in marks) for begin, _ in marks]
    return marks[counts.index(max(counts))][0] if marks else 0


def _start(text: str, first: int, size: int) -> int:
    """A little before the first mark, where a word begins."""
    if first <= size // 4:
        return 0
    space = text.find(" ", first - size // 4, first)
    return first if space < 0 else space + 1


def _in_one_line(text: str, start: int, end: int, marks: Marks) -> tuple[str, Marks]:
    shown: list[str] = []
    places: dict[int, int] = {}
    for place in range(start, end):
        places[place] = len(shown)
        character = text[place]
        if character.isspace():
            character = " "
        if character == " " and (not shown or shown[-1] == " "):
            continue
        shown.append(character)
    while shown and shown[-1] == " ":
        shown.pop()
    inside = [(places[begin], stop) for begin, stop in marks if start <= begin < end]
    return "".join(shown), [
        (begin, min(places.get(stop, len(shown)), len(shown))) for begin, stop in inside
    ]
