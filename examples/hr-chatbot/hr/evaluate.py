"""`python -m hr.evaluate`: how often the right passage is found, by each way of searching."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from .hr import open_shelf
from .search import Found, Search, Way
from .settings import HERE, Settings

QUESTIONS = HERE / "evaluation" / "questions.jsonl"
PLACES = 5


@dataclass(frozen=True)
class Question:
    question: str
    document: str
    heading: str

    def place_in(self, found: Sequence[Found]) -> int | None:
        """The place, from 1 on, of the passage that answers it."""
        wanted = (self.document, self.heading)
        places = (
            place
            for place, passage in enumerate(found, 1)
            if (passage.document, passage.heading) == wanted
        )
        return next(places, None)


@dataclass(frozen=True)
class Score:
    """Recall at 5, and the mean of 1 / place (0 for what was not found)."""

    recall: float
    mrr: float
    missed: tuple[str, ...]


def questions(path: Path = QUESTIONS) -> list[Question]:
    return [Question(**json.loads(line)) for line in path.read_text().splitlines()]


async def evaluate(search: Search, way: Way) -> Score:
    asked = questions()
    places = [it.place_in(await search(it.question, limit=PLACES, way=way)) for it in asked]
    found = [place for place in places if place is not None]
    missed = [it.question for it, place in zip(asked, places, strict=True) if place is None]
    return Score(len(found) / len(asked), sum(1 / it for it in found) / len(asked), tuple(missed))


async def _main() -> None:
    async with open_shelf(Settings(), lambda _: None) as (db, _, search):
        print(f"{len(questions())} questions, {db.engine.dialect.name}\n")
        print(f"{'':<8} recall@{PLACES}    MRR")
        for way in get_args(Way):
            score = await evaluate(search, way)
            print(f"{way:<8} {score.recall:8.3f} {score.mrr:6.3f}")
    print("\nNot found by hybrid search:", *(score.missed or ["none"]), sep="\n  ")


if __name__ == "__main__":
    asyncio.run(_main())
