"""Reports say what a reader of all rows would have counted."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from chatrecord.errors import ConfigurationError
from chatrecord.ids import new_id
from chatrecord.records import ApiRequest, Tokens
from chatrecord.sqlalchemy import Database, create_chat, usage
from chatrecord.store.changes import Changes
from chatrecord.testing import Script, say

START = datetime(2026, 10, 30, 22, 30, tzinfo=UTC)


async def filled(db: Database, user_id: str, seed: int) -> list[ApiRequest]:
    """Requests of all sorts in two chats of this user."""
    chance, made = random.Random(seed), []
    for _ in range(2):
        chat = await create_chat(db, Script([say("hi")]), user_id=user_id)
        await chat.ask("Hi!")
        (first,) = await chat.requests()
        changes = Changes(chat.id)
        changes.put(replace(first, started_at=START))
        for n in range(40):
            is_timed, is_priced = chance.random() < 0.8, chance.random() < 0.7
            request = replace(
                first,
                id=new_id(),
                started_at=START + timedelta(hours=n * 3, microseconds=chance.randrange(10**6)),
                model=chance.choice(["gpt", "claude", "ünïcode \x00"]),
                status=chance.choice(["complete", "complete", "failed", "interrupted"]),
                latency_ms=chance.uniform(1, 9000) if is_timed else None,
                first_token_ms=chance.uniform(1, 900) if is_timed else None,
                tokens=Tokens(input=chance.randrange(9000), output=chance.choice([None, 7])),
                cost=Decimal(chance.randrange(10**9)).scaleb(-12) if is_priced else None,
            )
            changes.add(request)
        await db.store.write(changes)
        made += await chat.requests()
    return made


def nearest(times: Sequence[float | None], percent: int) -> float | None:
    known = sorted(time for time in times if time is not None)
    return known[math.ceil(len(known) * percent / 100) - 1] if known else None


@pytest.mark.parametrize("seed", range(3))
async def test_a_report_adds_up_what_the_rows_say(backend: Database, seed: int) -> None:
    user = str(uuid4())
    made = await filled(backend, user, seed)
    groups: dict[tuple[Any, ...], list[ApiRequest]] = {}
    for request in made:
        groups.setdefault((request.started_at.date(), request.model), []).append(request)

    rows = await usage(backend, by=("day", "model", "user_id"), percentiles=True, user_id=user)

    days = [row.by["day"] for row in rows]
    assert days == sorted(days)  # type: ignore[type-var]
    for row in rows:
        group = groups.pop((row.by["day"], row.by["model"]))
        assert row.by["user_id"] == user
        assert row.usage.requests == len(group)
        assert row.failed == sum(request.status == "failed" for request in group)
        assert row.error_rate == row.failed / len(group)
        inputs = [request.tokens.input for request in group if request.tokens.input is not None]
        assert row.usage.input_tokens == (sum(inputs) if inputs else None)
        outputs = [request.tokens.output for request in group if request.tokens.output is not None]
        assert row.usage.output_tokens == (sum(outputs) if outputs else None)
        costs = [request.cost for request in group if request.cost is not None]
        assert row.usage.cost == (sum(costs) if costs else None)
        assert row.usage.unpriced_requests == len(group) - len(costs)
        for name in ("latency_ms", "first_token_ms"):
            times = [getattr(request, name) for request in group]
            found = getattr(row, name)
            got = (found.p50, found.p95, found.p99) if found else (None,) * 3
            assert got == tuple(nearest(times, percent) for percent in (50, 95, 99))
    assert groups == {}


async def test_a_report_without_groups_is_one_row(backend: Database) -> None:
    user = str(uuid4())
    made = await filled(backend, user, seed=1)

    (row,) = await usage(backend, user_id=user)
    (nothing,) = await usage(backend, user_id=f"{user} never asked")

    assert row.by == {}
    assert row.usage.requests == len(made)
    assert (nothing.usage.requests, nothing.usage.cost, nothing.error_rate) == (0, None, 0.0)
    assert nothing.latency_ms is None


async def test_periods_are_in_utc_and_bounds_are_kept(backend: Database) -> None:
    user = str(uuid4())
    await filled(backend, user, seed=2)
    elsewhere = timezone(timedelta(hours=9))
    since = START.astimezone(elsewhere) + timedelta(hours=3)
    until = since + timedelta(hours=6)

    hours = await usage(backend, by=["hour"], since=since, until=until, user_id=user)
    months = await usage(backend, by=["month"], user_id=user)

    first = datetime(2026, 10, 31, 1, tzinfo=UTC)
    assert [row.by["hour"] for row in hours] == [first, first + timedelta(hours=3)]
    assert sum(row.usage.requests for row in hours) == 4
    assert [row.by["month"] for row in months] == [date(2026, 10, 1), date(2026, 11, 1)]


async def test_a_report_leaves_out_the_models_it_is_told_to(backend: Database) -> None:
    """Also from the times; a request whose model is not known stays."""
    user_id = str(uuid4())
    requests = await filled(backend, user_id, seed=7)
    unknown = replace(requests[0], model=None)
    alike = replace(requests[1], model="GPT", latency_ms=99_999.0)
    changes = Changes(unknown.chat_id)
    changes.put(unknown)
    changes.put(alike)
    await backend.store.write(changes)

    (row,) = await usage(
        backend, without_models=["gpt", "claude"], percentiles=True, user_id=user_id
    )

    left = [it for it in (unknown, alike, *requests[2:]) if it.model not in {"gpt", "claude"}]
    assert row.usage.requests == len(left) < len(requests)
    assert row.latency_ms is not None
    assert row.latency_ms.p99 == 99_999.0
    with pytest.raises(TypeError, match=r"without_models=\['gpt'\]"):
        await usage(backend, without_models="gpt")


async def test_names_that_differ_by_a_space_are_two_groups(backend: Database) -> None:
    user = str(uuid4())
    chat = await create_chat(backend, Script([say("hi")]), user_id=user)
    await chat.ask("Hi!")
    (first,) = await chat.requests()
    names, changes = ["gpt", "gpt ", "GPT", "gpt  "], Changes(chat.id)
    for name in names:
        changes.add(replace(first, id=new_id(), model=name))
    await backend.store.write(changes)

    rows = await usage(backend, by=["model"], user_id=user)

    assert sorted(str(row.by["model"]) for row in rows) == sorted([*names, "script"])


async def test_a_report_names_what_it_can_group_by(backend: Database) -> None:
    with pytest.raises(ValueError, match=r"knows no 'mood'.*day.*model.*user_id"):
        await usage(backend, by=["mood"])
    with pytest.raises(TypeError, match=r"takes a list of names: by=\['day'\]"):
        await usage(backend, by="day")
    with pytest.raises(ValueError, match="'user_id' more than once"):
        await usage(backend, by=["user_id", "day", "user_id"])
    with pytest.raises(TypeError, match="unknown keyword 'mood'"):
        await usage(backend, mood="good")  # type: ignore[call-overload]
    with pytest.raises(ValueError, match="time zone"):
        await usage(backend, since=datetime(2026, 1, 1))  # noqa: DTZ001


async def test_there_is_no_report_where_requests_are_not_kept(any_url: str) -> None:
    async with Database(any_url, keep_requests=False) as db:
        with pytest.raises(ConfigurationError, match="request="):
            await usage(db)
