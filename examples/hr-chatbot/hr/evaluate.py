"""`python -m hr.evaluate`: how often the right passage is found, and the right words are quoted.

An answer is right if it has one of the phrases that answer the question, and is no longer than what
an answer may be: a paragraph, and a shorter second one. What counts is what the local model has to
say under its grammar; a sentence more, where it has the choice, makes no answer wrong.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, get_args

from .answers import LONGEST_QUOTE, LONGEST_SECOND, Answers
from .guided import chosen_step
from .hr import open_shelf
from .search import Found, Search, Way
from .settings import HERE, Settings

FOLDER = HERE / "evaluation"
QUESTIONS = FOLDER / "questions.jsonl"
UNANSWERABLE = FOLDER / "unanswerable.jsonl"
UNANSWERABLE_FOR_CHOOSING = FOLDER / "unanswerable-for-choosing.jsonl"
MORE_FOR_CHOOSING = FOLDER / "more-for-choosing.jsonl"
MORE_UNANSWERABLE_FOR_CHOOSING = FOLDER / "unanswerable-more-for-choosing.jsonl"
HELD_OUT_ANSWERED = FOLDER / "held-out.jsonl"
HELD_OUT_UNANSWERABLE = FOLDER / "unanswerable-held-out.jsonl"
SUGGESTED = FOLDER / "suggested.jsonl"
FRESH = FOLDER / "fresh.jsonl"
OTHER_FORMS = FOLDER / "other-forms.jsonl"
"""Impersonal ones that the handbook answers, since those of the other files are mostly personal."""

UNANSWERABLE_OTHER_FORMS = FOLDER / "unanswerable-other-forms.jsonl"
"""Personal ones, that tell of a case, which the handbook does not answer."""

PLACES = 5
LONGEST_ANSWER = LONGEST_QUOTE + LONGEST_SECOND
HELD_OUT = 3
"""Every third question was kept from choosing weights."""


@dataclass(frozen=True)
class Question:
    """No answers: the handbook has none. A tool: this is how it is answered."""

    question: str
    document: str = ""
    heading: str = ""
    answers: Sequence[str] = ()
    tool: str = "search_handbook"

    def place_in(self, found: Sequence[Found]) -> int | None:
        """The place, from 1 on, of the passage that answers it."""
        wanted = (self.document, self.heading)
        places = (
            place
            for place, passage in enumerate(found, 1)
            if (passage.document, passage.heading) == wanted
        )
        return next(places, None)

    def is_answered_by(self, text: str) -> bool:
        if not self.answers:
            return not text
        said = _normal(text)
        return len(text) <= LONGEST_ANSWER and any(_normal(it) in said for it in self.answers)


@dataclass(frozen=True)
class Score:
    """Recall at 5, and the mean of 1 / place (0 for what was not found)."""

    recall: float
    mrr: float
    missed: tuple[str, ...]


@dataclass(frozen=True)
class Tally:
    """How many questions were answered right, or rightly refused."""

    asked: int
    wrong: tuple[str, ...]

    @property
    def right(self) -> int:
        return self.asked - len(self.wrong)

    @property
    def share(self) -> float:
        return self.right / self.asked

    def __str__(self) -> str:
        return f"{self.right:3} of {self.asked:2} {self.share:6.0%}"


def questions(path: Path = QUESTIONS) -> list[Question]:
    return [Question(**json.loads(line)) for line in path.read_text().splitlines()]


async def evaluate(search: Search, way: Way) -> Score:
    asked = questions()
    places = [it.place_in(await search(it.question, limit=PLACES, way=way)) for it in asked]
    found = [place for place in places if place is not None]
    missed = [it.question for it, place in zip(asked, places, strict=True) if place is None]
    return Score(len(found) / len(asked), sum(1 / it for it in found) / len(asked), tuple(missed))


async def tally(search: Search, answers: Answers, asked: Iterable[Question]) -> Tally:
    asked = list(asked)
    right = [await _is_right(search, answers, it) for it in asked]
    wrong = (it.question for it, is_right in zip(asked, right, strict=True) if not is_right)
    return Tally(len(asked), tuple(wrong))


async def _is_right(search: Search, answers: Answers, asked: Question) -> bool:
    step: Any = chosen_step(asked.question)
    if asked.tool != "search_handbook" or step.tool_name != asked.tool:
        return bool(step.tool_name == asked.tool)
    found = await search(asked.question, limit=PLACES)
    passages = [{"number": number, **asdict(it)} for number, it in enumerate(found, 1)]
    quotes = await answers(asked.question, passages)
    return asked.is_answered_by("\n\n".join(it.text for it in quotes))


def sets_of_questions() -> Iterator[tuple[str, list[Question]]]:
    """Each with what is said of it."""
    asked = questions()
    yield "answered, of all", asked
    yield "  used to choose", [it for place, it in enumerate(asked) if place % HELD_OUT]
    yield "  held out", asked[::HELD_OUT]
    yield "refused", questions(UNANSWERABLE)
    yield "suggested", questions(SUGGESTED)
    yield "more, answered", questions(HELD_OUT_ANSWERED)
    yield "more, refused", questions(HELD_OUT_UNANSWERABLE)
    yield "  answered, used to choose", questions(MORE_FOR_CHOOSING)
    yield (
        "  refused, used to choose",
        [
            *questions(UNANSWERABLE_FOR_CHOOSING),
            *questions(MORE_UNANSWERABLE_FOR_CHOOSING),
        ],
    )
    yield "impersonal, answered", questions(OTHER_FORMS)
    yield "  held out", questions(OTHER_FORMS)[1::2]
    yield "personal, refused", questions(UNANSWERABLE_OTHER_FORMS)
    yield "  held out", questions(UNANSWERABLE_OTHER_FORMS)[1::2]
    yield "never used", questions(FRESH)


def _normal(text: str) -> str:
    return " ".join(text.lower().split())


async def _main() -> None:
    async with open_shelf(Settings(), lambda _: None) as (db, _, search):
        print(f"{len(questions())} questions, {db.engine.dialect.name}\n")
        print(f"{'':<8} recall@{PLACES}    MRR")
        for way in get_args(Way):
            score = await evaluate(search, way)
            print(f"{way:<8} {score.recall:8.3f} {score.mrr:6.3f}")
        print("\nNot found by hybrid search:", *(score.missed or ["none"]), sep="\n  ")
        print("\nAnswers without a key")
        answers = Answers(search)
        for name, asked in sets_of_questions():
            result = await tally(search, answers, asked)
            print(f"{name:<26}{result}")
            if not name.startswith(" "):
                print(*(f"    {it}" for it in result.wrong), sep="\n")


if __name__ == "__main__":
    asyncio.run(_main())
