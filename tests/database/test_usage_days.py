"""Days that are added up say what a reader of all requests would have counted, whatever changes."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from pydantic_ai import Agent
from pydantic_ai.models.test import TestModel
from sqlalchemy import select, update
from sqlalchemy.schema import DropTable

from chatrecord import Budget
from chatrecord.chats.chat import Chat
from chatrecord.errors import BudgetExceeded, SchemaError
from chatrecord.ids import new_id
from chatrecord.records import ApiRequest, Tokens
from chatrecord.spending.days import COUNTED_AFTER, start_of
from chatrecord.sqlalchemy import (
    Database,
    Models,
    create_chat,
    delete_chat,
    export_chat,
    import_chat,
    load_chat,
    purge,
    usage,
)
from chatrecord.sqlalchemy.tables import READY_MADE, UsageDay
from chatrecord.store.changes import Changes
from chatrecord.testing import Script, hang, say
from chatrecord.testing.look import die

DAYS = UsageDay.__table__
GROUPS: tuple[Sequence[str], ...] = (
    (),
    ("day",),
    ("month", "status"),
    ("day", "model"),
    ("model", "provider", "agent", "status", "day"),
    ("kind", "month"),
)
WITHOUT_DAYS = Models(**{
    name: getattr(READY_MADE, name)
    for name in ("chat", "run", "message", "chunk", "tool_call", "request", "attachment")
})  # fmt: skip


@pytest.fixture
async def counting(own_url: str) -> AsyncIterator[Database]:
    async with Database(own_url) as db:
        yield db


@pytest.fixture
async def reading(own_url: str) -> AsyncIterator[Database[Any]]:
    """The same database, by models without the sums: it reads every request."""
    async with Database(own_url, models=WITHOUT_DAYS) as db:
        yield db


class Life:
    """Chats with requests of the last days, to which things happen."""

    def __init__(self, db: Database, seed: int) -> None:
        self.db, self.chance = db, random.Random(seed)
        self.now = datetime.now(UTC)
        self.chats: list[Chat] = []

    async def begin(self) -> None:
        for _ in range(6):
            await self.add_chat()
        for chat in self.chats:
            await self.add_requests(chat, 12)

    async def add_chat(self) -> Chat:
        chat = await create_chat(self.db, Script([say("hi")]), user_id=str(uuid4()))
        self.chats.append(chat)
        return chat

    def request(self, chat: Chat) -> ApiRequest:
        chance = self.chance
        priced = chance.random() < 0.7
        return ApiRequest(
            id=new_id(),
            chat_id=chat.id,
            run_id=None,
            message_id=None,
            provider=chance.choice(["openai", "Openai", None]),
            model=chance.choice(["gpt", "gpt ", "ünïcode \x00", None]),
            status=chance.choice(["complete", "complete", "failed", "interrupted"]),
            http_status=200,
            error_type=None,
            error=None,
            provider_request_id=None,
            streamed=True,
            started_at=self.now - timedelta(hours=chance.uniform(0, 24 * 9)),
            latency_ms=1.0,
            first_token_ms=None,
            tokens=Tokens(input=chance.choice([None, 5, 7000]), output=chance.randrange(99)),
            cost=Decimal(chance.randrange(10**9)).scaleb(-12) if priced else None,
            price_source=chance.choice(["provider", "list"]) if priced else None,
            kind=chance.choice([None, "title", "embedding"]),
        )

    async def add_requests(self, chat: Chat, count: int = 3) -> None:
        changes = Changes(chat.id)
        for _ in range(count):
            changes.add(self.request(chat))
        await self.db.store.write(changes)

    # What happens to them.

    async def count(self) -> None:
        await self.db.repair()

    async def late_requests(self) -> None:
        await self.add_requests(self.chance.choice(self.chats))

    async def late_ends(self) -> None:
        chat = self.chance.choice(self.chats)
        changes = Changes(chat.id)
        for request in self.chance.sample(
            requests := list(await chat.requests()), len(requests) // 2
        ):
            changes.put(replace(request, status="complete", cost=Decimal("0.5")))
        await self.db.store.write(changes)

    async def deletion(self) -> None:
        chat = self.chats.pop(self.chance.randrange(len(self.chats)))
        await delete_chat(
            self.db, chat.id, audit=self.chance.choice(["delete", "keep", "anonymise"])
        )
        await self.add_chat()

    async def purging(self) -> None:
        chat = self.chats.pop(self.chance.randrange(len(self.chats)))
        (user,) = chat.record.columns.values()
        audit = self.chance.choice(["delete", "keep", "anonymise"])
        assert await purge(self.db, older_than=timedelta(0), audit=audit, user_id=str(user)) == 1
        await self.add_chat()

    async def moving(self) -> None:
        chat = self.chance.choice(self.chats)
        lines = [line async for line in export_chat(self.db, chat.id)]
        await delete_chat(self.db, chat.id)
        await self.db.repair()
        await import_chat(self.db, lines)

    async def questions(self) -> None:
        chat = self.chance.choice(self.chats)
        await (await create_chat(self.db, Script([say("hi")]))).ask("Hi!")
        await self.add_requests(chat, 1)


HAPPENS = ("count", "late_requests", "late_ends", "deletion", "purging", "moving", "questions")


@pytest.mark.parametrize("seed", range(2))
async def test_days_that_are_added_up_say_what_the_requests_say(
    counting: Database, reading: Database[Any], seed: int
) -> None:
    life = Life(counting, seed)
    await life.begin()
    await counting.repair()
    assert await counted(counting)
    for _ in range(6):
        await getattr(life, life.chance.choice(HAPPENS))()
        await same_reports(counting, reading, life)
    await counting.repair()
    assert await counted(counting)
    await same_reports(counting, reading, life)


async def same_reports(counting: Database, reading: Database[Any], life: Life) -> None:
    since = life.now - timedelta(days=life.chance.uniform(0, 9))
    until = life.chance.choice([None, since + timedelta(days=life.chance.uniform(0.5, 5))])
    for by in GROUPS:
        for span in ({}, {"since": since, "until": until}, {"without_models": ["gpt"]}):
            told: dict[str, Any] = {"by": by, **span}
            assert await usage(counting, **told) == await usage(reading, **told)


async def counted(db: Database) -> set[date]:
    query = select(DAYS.c.day).where(DAYS.c.place == 0, DAYS.c.counted_at.is_not(None))
    async with db.engine.connect() as connection:
        return set((await connection.execute(query)).scalars())


async def test_a_report_reads_the_sums_and_not_the_requests(counting: Database) -> None:
    """Or the comparison with all requests could not fail."""
    life = Life(counting, seed=1)
    await life.begin()
    await counting.repair()
    async with counting.engine.begin() as connection:
        of_sums = DAYS.c.place > 0
        await connection.execute(update(DAYS).where(of_sums).values(model="told by the sums"))

    rows = await usage(counting, by=["model"])

    assert "told by the sums" in {row.by["model"] for row in rows}
    counts = [count for it in rows for count in (it.usage.requests, it.usage.unpriced_requests)]
    assert {type(count) for count in counts} == {int}


async def test_a_chat_that_gets_another_agent_is_counted_again(
    counting: Database, reading: Database[Any]
) -> None:
    chat = await create_chat(counting, Agent(TestModel(), name="one"))
    life = Life(counting, seed=7)
    sent = life.now - timedelta(days=3)
    await write(counting, replace(life.request(chat), started_at=sent))
    await counting.repair()
    assert sent.date() in await counted(counting)

    await chat.update(llm=Agent(TestModel(), name="another"))

    for _ in range(2):
        (row,) = await usage(counting, by=["agent"])
        assert row.by["agent"] == "another"
        assert [row] == await usage(reading, by=["agent"])
        await counting.repair()


async def test_runs_are_ended_also_where_days_cannot_be_added_up(counting: Database) -> None:
    chat = await create_chat(counting, Script([say("half"), hang()]))
    stream = chat.stream("Go")
    await anext(aiter(stream))
    await die(counting, chat)
    async with Database(counting.engine) as elsewhere:
        async with counting.engine.begin() as connection:
            await connection.execute(DropTable(DAYS))

        with pytest.raises(SchemaError):
            await elsewhere.repair()

        twin = await load_chat(elsewhere, Script([say("back")]), chat.id)
        assert [message.status for message in await twin.messages()] == ["complete", "interrupted"]


async def test_a_day_is_counted_some_hours_after_its_end(counting: Database) -> None:
    chat = await create_chat(counting, Script([say("hi")]))
    life = Life(counting, seed=2)
    noon = start_of(date(2026, 3, 14)) + timedelta(hours=12)
    await write(counting, replace(life.request(chat), started_at=noon))
    end = start_of(date(2026, 3, 15))

    assert await counting.store.count_days(end + COUNTED_AFTER - timedelta(seconds=1)) == 0
    assert await counting.store.count_days(end + COUNTED_AFTER) == 1
    assert await counting.store.count_days(end + COUNTED_AFTER) == 0
    assert await counted(counting) == {date(2026, 3, 14)}


async def test_a_process_whose_clock_is_ahead_counts_no_day_that_has_not_ended(
    counting: Database,
) -> None:
    chat = await create_chat(counting, Script([say("hi")]))
    life = Life(counting, seed=8)
    await write(counting, replace(life.request(chat), status="complete", started_at=life.now))

    assert await counting.store.count_days(life.now + timedelta(days=3)) == 0
    assert life.now.date() not in await counted(counting)


async def test_a_day_with_a_request_under_way_is_counted_after_its_end(counting: Database) -> None:
    chat = await create_chat(counting, Script([say("hi")]))
    request = replace(
        Life(counting, 3).request(chat),
        run_id=new_id(),
        status="running",
        started_at=datetime.now(UTC) - timedelta(days=2),
    )
    await write(counting, request)
    day = request.started_at.date()

    await counting.repair()
    assert day not in await counted(counting)
    (row,) = await usage(counting, by=["status"])
    assert (row.by["status"], row.usage.requests) == ("running", 1)

    await write(counting, replace(request, status="complete"), is_new=False)
    await counting.repair()
    assert day in await counted(counting)
    (row,) = await usage(counting, by=["status"])
    assert (row.by["status"], row.usage.requests) == ("complete", 1)


async def test_a_request_that_is_reserved_late_is_counted(counting: Database) -> None:
    """Its process was asleep between the moment that it noted and the transaction."""
    chat = await create_chat(counting, Script([say("hi")]))
    life = Life(counting, seed=4)
    sent = life.now - timedelta(days=2)
    first, second = (
        replace(life.request(chat), status="complete", started_at=sent) for _ in range(2)
    )
    await write(counting, first)
    await counting.repair()
    assert sent.date() in await counted(counting)

    assert await counting.store.reserve(second, None, [])

    assert sent.date() not in await counted(counting)
    for _ in range(2):
        (row,) = await usage(counting, by=["day"])
        assert row.usage.requests == 2
        await counting.repair()
    assert sent.date() in await counted(counting)


async def test_a_change_while_a_day_is_counted_is_not_lost(
    counting: Database, reading: Database[Any]
) -> None:
    """Who changes its requests and who counts them wait for each other."""
    import asyncio

    life = Life(counting, seed=5)
    await life.begin()
    for _ in range(6):
        await asyncio.gather(
            counting.repair(), reading_writer(counting, life), life.deletion(), counting.repair()
        )
        await same_reports(counting, reading, life)


async def reading_writer(db: Database, life: Life) -> None:
    for chat in list(life.chats)[:2]:
        changes = Changes(chat.id)
        changes.add(life.request(chat))
        try:
            await db.store.write(changes)
        except Exception:  # noqa: BLE001 - the chat may just have been deleted
            continue


async def test_a_budget_of_all_chats_counts_every_day(counting: Database) -> None:
    """Days that are added up, days that are not, and today."""
    chat = await create_chat(counting, Script([say("hi")]))
    life = Life(counting, seed=6)
    for days in (0, 1, 2, 40):
        sent = life.now - timedelta(days=days)
        await write(counting, replace(life.request(chat), status="complete", started_at=sent,
                                      tokens=Tokens(input=100, output=0)))  # fmt: skip
    for count in (False, True):
        if count:
            await counting.repair()
            assert len(await counted(counting)) > 30
        for per, spent in ((None, 400), ("day", 100)):
            allowed, refused = (Budget(tokens=10**9, per=per), Budget(tokens=spent, per=per))
            chat = await create_chat(counting, Script(), budgets=[allowed, refused])
            with pytest.raises(BudgetExceeded, match=f"{spent} of {spent} "):
                await chat.ask("Hi!")


async def write(db: Database, request: ApiRequest, *, is_new: bool = True) -> None:
    assert request.chat_id is not None
    changes = Changes(request.chat_id)
    (changes.add if is_new else changes.put)(request)
    await db.store.write(changes)
