"""Runs of one partition share their commits, and no commit has runs of two: on every database."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any

import pytest

from chatrecord.sqlalchemy import Database, create_chat, load_chat
from chatrecord.testing import Script, say
from chatrecord.testing.look import has_journal, until

team: ContextVar[str] = ContextVar("team")

TEAMS = ("red", "green", "blue")
PIECES = [f"<{n}>" for n in range(8)]


class Flushes:
    """Takes down whose runs each commit of the journal has, and in whose context it is made."""

    def __init__(self, db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
        self.runs: list[frozenset[Any]] = []
        self.contexts: list[str | None] = []
        flush = db.store.flush

        async def counted(news: Mapping[Any, Any], **options: Any) -> Any:
            self.runs.append(frozenset(lease.run_id for lease in news))
            self.contexts.append(team.get(None))
            return await flush(news, **options)

        monkeypatch.setattr(db.store, "flush", counted)


async def answered(db: Database) -> dict[str, set[Any]]:
    """Two questions of each team at once. Returns their runs."""

    async def asked(name: str) -> tuple[str, Any]:
        team.set(name)
        chat = await create_chat(db, Script([say(*PIECES, pause=0.04)]), user_id=name)
        reply = await chat.ask("Go")
        assert reply.text == "".join(PIECES)
        return name, reply.run_id

    asking = (asyncio.create_task(asked(name)) for name in TEAMS * 2)
    runs: dict[str, set[Any]] = {name: set() for name in TEAMS}
    for name, run_id in await asyncio.gather(*asking):
        runs[name].add(run_id)
    return runs


@pytest.mark.parametrize("by", [team, team.get, "user_id"], ids=["variable", "function", "column"])
async def test_a_commit_has_runs_of_one_partition(
    any_url: str, by: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Database(any_url, partition=by) as db:
        flushes = Flushes(db, monkeypatch)
        runs = await answered(db)

    for found, context in zip(flushes.runs, flushes.contexts, strict=True):
        assert context is not None
        assert found <= runs[context]
    assert any(found in (frozenset(each) for each in runs.values()) for found in flushes.runs), (
        "the runs of a partition share commits"
    )


async def test_without_partitions_all_runs_share_their_commits(
    any_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Database(any_url) as db:
        flushes = Flushes(db, monkeypatch)
        runs = await answered(db)

    assert frozenset.union(*map(frozenset, runs.values())) in flushes.runs


async def test_followers_poll_in_the_context_of_their_partition(
    any_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Database(any_url) as here, Database(any_url, partition=team) as there:
        polled: list[tuple[str | None, frozenset[Any]]] = []
        look = there.store.run_states

        async def counted(run_ids: Any) -> Any:
            polled.append((team.get(None), frozenset(run_ids)))
            return await look(run_ids)

        monkeypatch.setattr(there.store, "run_states", counted)

        async def followed(name: str) -> tuple[str, Any]:
            team.set(name)
            chat = await create_chat(here, Script([say(*PIECES, pause=0.04)]))
            asking = asyncio.create_task(chat.ask("Go"))
            await until(lambda: has_journal(here, chat))
            twin = await load_chat(there, Script(), chat.id)
            assert "".join([chunk.text async for chunk in twin.follow()]) == "".join(PIECES)
            return name, (await asking).run_id

        found = await asyncio.gather(*(asyncio.create_task(followed(name)) for name in TEAMS))

    runs = {name: frozenset([run_id]) for name, run_id in found}
    assert {name for name, _ in polled} == set(TEAMS)
    assert all(ids == runs[str(name)] for name, ids in polled)
