"""Recorded traffic: where it lies, and what one exchange of it holds."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import pytest

Body: TypeAlias = dict[str, Any]

ROOT = Path(__file__).parents[2]
RECORDED = Path(os.environ.get("CHATRECORD_RECORDED") or ROOT.parent / "shared" / "recorded")
"""Real traffic. It lies beside the repository, not in it."""
HANDWRITTEN = Path(__file__).parent / "handwritten"
"""The same shapes, written by hand, and those of which there is no recording."""


@dataclass(frozen=True)
class Exchange:
    """One request as it was sent to a provider, and its response."""

    path: str
    asked: Body
    status: int
    headers: dict[str, str]
    body: str

    @property
    def is_answer(self) -> bool:
        return self.status == 200

    @property
    def is_streamed(self) -> bool:
        return self.headers["content-type"].startswith("text/event-stream")


@dataclass(frozen=True)
class Recording:
    """The exchanges of one chat, in order."""

    name: str
    exchanges: tuple[Exchange, ...]

    @property
    def has_answers(self) -> bool:
        return all(exchange.is_answer for exchange in self.exchanges)


def read(file: Path) -> Recording:
    data = json.loads(file.read_text(encoding="utf-8"))
    return Recording(file.stem, tuple(exchange_of(each) for each in data["exchanges"]))


def exchange_of(data: Body) -> Exchange:
    """Those written by hand have their body as an object."""
    asked, answered = data["request"], data["response"]
    body = answered["body"]
    return Exchange(
        path=asked["path"],
        asked=asked["body"],
        status=answered["status"],
        headers=answered["headers"],
        body=body if isinstance(body, str) else json.dumps(body),
    )


def recordings(folder: Path) -> list[Recording]:
    return [read(file) for file in sorted(folder.glob("*.json"))]


def parameters(*, answers: bool, at_least: int = 1) -> Iterator[Any]:
    """Recordings of so many answers, or of refusals, as test parameters; a skip without any."""
    for folder in (RECORDED, HANDWRITTEN):
        found = [
            each
            for each in recordings(folder)
            if each.has_answers == answers and len(each.exchanges) >= at_least
        ]
        for each in found:
            yield pytest.param(each, id=f"{folder.name}: {each.name}")
        if not found:
            reason = f"no recorded traffic at {folder}: CHATRECORD_RECORDED says where it is"
            yield pytest.param(None, id=f"{folder.name}: none", marks=pytest.mark.skip(reason))
