"""The benches run, at the smallest size, and print their tables. Nothing is timed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import pytest
from sqlalchemy import make_url

import against
import chunks
import followers
import instead
import instructions
import length
import page
import picture
import run
import scale
import streams
import targets
import turn
import worker_rates
from servers import postgres_server


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgres_server() as url:
        named = url.set(database=url.database or "postgres")
        yield make_url(named).render_as_string(hide_password=False)


async def test_readers_in_another_process_are_counted(
    server: str, capsys: pytest.CaptureFixture[str]
) -> None:
    followers.table(await followers.run(server, **followers.TINY))
    assert "| delay p99 ms |" in capsys.readouterr().out


async def test_workers_are_counted(server: str, capsys: pytest.CaptureFixture[str]) -> None:
    worker_rates.table(await worker_rates.run(server, **worker_rates.TINY))
    assert "| 1 | " in capsys.readouterr().out


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


@pytest.mark.slow
async def test_the_targets_are_measured_beside_another_commit(
    server: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if not (against.HERE.parent / ".git").exists():
        pytest.skip("this is no checkout of git")
    found = await targets.run(["sqlite:///", server], commit="HEAD", **targets.TINY)
    targets.table(found)
    assert all(result.before for result in found), found
    assert {result.database for result in found} == {"SQLite", "PostgreSQL"}
    drawn = page.targets({"targets": [vars(result) for result in found]})
    names = {result.name for result in found}
    assert len(names) == drawn.count("\n") - 2
    trips = next(each for each in found if each.name == "round trips of a turn, plain")
    assert trips.now == trips.before > 2


@pytest.mark.parametrize("name", ["SQLite", "PostgreSQL"])
async def test_calls_among_many_chats_are_measured(name: str, server: str) -> None:
    found = await scale.run([server if name == "PostgreSQL" else "sqlite:///"], **scale.TINY)
    scale.table(found)
    calls = {result.name: result for result in found}
    assert len(calls) > 40
    assert {result.database for result in found} == {name}
    assert "llm_requests" in calls["usage() by month, everything, percentiles"].whole
    assert calls["usage() by month, everything"].whole == ""


@pytest.mark.slow
async def test_instructions_of_a_turn_are_counted() -> None:
    if not instructions.is_possible():
        pytest.skip("Valgrind or a C compiler is missing")
    (found,) = await instructions.run(["sqlite:///"], **instructions.TINY)
    instructions.table([found])
    assert found.whole > found.alone > found.floor > 0.1


def test_the_page_shows_the_figures() -> None:
    figures = json.loads(run.FIGURES.read_text("utf-8"))
    text = (run.DOCS / "performance.md").read_text("utf-8")
    assert page.page_of(text, figures) == text, "run: python bench/page.py"
    for name in page.TABLES:
        assert name in figures
        assert f"<!-- {name} -->" in text


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
