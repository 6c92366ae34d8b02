"""The benches run, at the smallest size, and print their tables. Nothing is timed."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import pytest
from sqlalchemy import make_url

import against
import chunks
import instead
import length
import picture
import streams
import turn
from servers import postgres_server


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgres_server() as url:
        named = url.set(database=url.database or "postgres")
        yield make_url(named).render_as_string(hide_password=False)


@pytest.mark.parametrize("bench", [turn, length, chunks, streams], ids=lambda it: it.__name__)
async def test_a_bench_prints_its_table(
    bench: Any, server: str, capsys: pytest.CaptureFixture[str]
) -> None:
    bench.table(await bench.run(["sqlite:///", server], **bench.TINY))
    rows = [line for line in capsys.readouterr().out.splitlines() if line.startswith("| ")]
    assert len({row.count("|") for row in rows}) == 1
    assert {row.split(" | ")[0] for row in rows[1:]} == {"| SQLite", "| PostgreSQL"}


async def test_a_turn_is_measured_against_another_commit(
    capsys: pytest.CaptureFixture[str],
) -> None:
    if not (against.HERE.parent / ".git").exists():
        pytest.skip("this is no checkout of git")
    against.table(await against.run("HEAD", ["sqlite:///"], rounds=1, kinds=["plain"]))
    rows = [line for line in capsys.readouterr().out.splitlines() if line.startswith("| SQLite")]
    assert [row.split(" | ")[1:3] for row in rows] == [["plain", "time"], ["plain", "CPU"]]


NEEDS = {
    "chatrecord": "chatrecord",
    "pydantic-ai, JSON by hand": "pydantic_ai",
    "OpenAI Agents SQLAlchemySession": "agents",
    "LangGraph AsyncPostgresSaver": "langgraph",
}


@pytest.mark.parametrize("name", NEEDS)
async def test_what_one_would_take_instead_is_measured(
    name: str, server: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    if find_spec(NEEDS[name]) is None:
        pytest.skip(f"{NEEDS[name]} is not installed: pip install --group bench")
    subjects = {each: instead.SUBJECTS[each] for each in ("chatrecord", name)}
    monkeypatch.setattr(instead, "SUBJECTS", subjects)
    results = await instead.run([server], **instead.TINY)
    instead.table(results)
    assert f"| {name} | 4 |" in capsys.readouterr().out
    assert picture.of([vars_of(result) for result in results]).count("<circle") == len(subjects)


def vars_of(result: instead.Result) -> dict[str, Any]:
    return {**vars(result), "persistence": vars(result.persistence)}
