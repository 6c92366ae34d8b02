"""Chats as an application has them after a month: for the dashboard's tests and pictures."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from pydantic_ai import Tool
from sqlalchemy import bindparam, update

from chatrecord.chats.chat import Chat
from chatrecord.errors import RunError
from chatrecord.feedback import Feedback
from chatrecord.ids import new_id
from chatrecord.records import ApiRequest, Message, Tokens
from chatrecord.sqlalchemy import Database, create_chat
from chatrecord.store.changes import Changes
from chatrecord.testing import Script, call, fail, say, think

INSTRUCTIONS = (
    "You are the travel desk of Umbrella Ltd.\nAnswer from the handbook, and name the page."
)
MODELS = ("gpt-5.2", "claude-sonnet-5", "gpt-5-nano")
PRICES = {"gpt-5.2": 4, "claude-sonnet-5": 6, "gpt-5-nano": 1}
USERS = ("ann", "bob", "chandra", "dmitri", "elif")
TITLES = (
    "Travel policy for contractors",
    "Hotel limits in Lisbon",
    "Wifi password of the guest network",
    "Expenses without a receipt",
    "Parental leave from March on",
    "Sickness during a holiday",
)

COMMENTS = (
    "The page does not exist",
    "This is the policy of last year. Since March, contractors travel in first class from five hours on.",
    "Too long: I wanted a yes or a no",
)


def search_handbook(query: str) -> list[dict[str, Any]]:
    """Search the handbook."""
    return [
        {
            "page": page,
            "score": 0.91 - page / 100,
            "text": f"{query}: see the rules of section {page}.",
        }
        for page in range(3, 9)
    ]


def book_hotel(city: str, nights: int) -> dict[str, Any]:
    """Book a hotel."""
    return {"booked": city, "nights": nights}


def tools() -> list[Any]:
    return [search_handbook, Tool(book_hotel, requires_approval=True)]


async def fill_sample(
    db: Database[Any], days: int = 30, now: datetime | None = None
) -> dict[str, UUID]:
    """Chats of every kind, and requests of so many days. Returns the chats by what they show."""
    chosen = random.Random(7)
    chats: dict[str, Chat] = {}
    chats["approval"] = await asked(
        db,
        [say("I can book that. "), call("book_hotel", "call-9", city="Lisbon", nights=2)],
        user="bob",
        title="A room in Lisbon",
    )
    chats["failed"] = await asked(
        db,
        [say("The rules for "), fail(ValueError("The provider closed the connection"))],
        user="ann",
        title="Visa for Brazil",
    )
    chats["superseded"] = await asked(
        db,
        [say("By train, always.")],
        [say("By train up to five hours.")],
        user="elif",
        title="Train or plane?",
    )
    await chats["superseded"].regenerate()
    chats["trace"] = await asked(
        db,
        [
            think("The handbook has a section on travel. I should search it before I answer."),
            say("I look that up. "),
            call("search_handbook", "call-1", query="travel policy for contractors"),
        ],
        [
            say(
                "Contractors travel in second class, and book through the travel desk (page 3).\n\nHotels: up to 140 euros a night, breakfast included."
            )
        ],
        user="ann",
        title=TITLES[0],
        question="What is our travel policy for contractors?",
    )
    markup = "<img src=x onerror=document.title='hit'><script>document.title='hit'</script>"
    chats["markup"] = await asked(db, [say(markup)], user="bob", title=markup, question=markup)
    answer = (await chats["trace"].messages())[-1]
    await chats["trace"].give_feedback(answer.id, 1, comment="Just what I needed", owner="ann")
    await db.create_search()
    now = now or datetime.now(UTC)
    await timed(db, chats["trace"], chosen)
    owners = await spread(db, chats["failed"], chosen, days, now)
    await rate(db, answer, owners, days, now)
    return {name: chat.id for name, chat in chats.items()}


async def asked(
    db: Database[Any],
    *rounds: list[Any],
    user: str,
    title: str,
    question: str = "What are the rules?",
) -> Chat:
    chat = await create_chat(
        db, Script(*rounds), tools=tools(), user_id=user, title=title, instructions=INSTRUCTIONS,
        metadata={"channel": "web"},
    )  # fmt: skip
    with suppress(RunError):
        await chat.ask(question)
    return chat


async def timed(db: Database[Any], chat: Chat, chosen: random.Random) -> None:
    """Times and costs as a provider has them."""
    first, second = await chat.requests()
    begin = first.started_at
    rows = [
        values(first, begin, 1840.0, 620.0, (412, 58)),
        values(second, begin + timedelta(milliseconds=1980), 2630.0, 410.0, (988, 143)),
    ]
    table = db.models.request.__table__  # type: ignore[union-attr]
    names = [name for name in rows[0] if name != "this"]
    change = update(table).where(table.c.id == bindparam("this"))
    async with db.engine.begin() as connection:
        await connection.execute(change.values({name: bindparam(name) for name in names}), rows)
        calls = db.models.tool_call.__table__  # type: ignore[union-attr]
        moment = begin + timedelta(milliseconds=1850)
        ran = update(calls).where(calls.c.chat_id == chat.id)
        await connection.execute(ran.values(started_at=moment, duration_ms=118.0))
        runs = db.models.run.__table__
        whole = update(runs).where(runs.c.chat_id == chat.id)
        done = begin + timedelta(milliseconds=4630)
        await connection.execute(whole.values(started_at=begin, finished_at=done))


def values(
    of: ApiRequest, at: datetime, latency: float, first: float, used: tuple[int, int]
) -> dict[str, Any]:
    model = "gpt-5.2"
    cost = Decimal(used[0] + 4 * used[1]) * PRICES[model] / 10**6
    return {
        "this": of.id, "started_at": at, "latency_ms": latency, "first_token_ms": first, "model": model,
        "provider": "openai", "input_tokens": used[0], "output_tokens": used[1], "cost": cost,
        "price_source": "genai-prices",
    }  # fmt: skip


async def spread(
    db: Database[Any], like: Chat, chosen: random.Random, days: int, now: datetime
) -> list[Chat]:
    """Chats of other people, and their requests day by day."""
    (sent,) = await like.requests()
    owners = []
    for place, title in enumerate(TITLES[1:] * 5):
        quiet = await create_chat(db, Script(), user_id=USERS[place % len(USERS)], title=title)
        owners.append(quiet)
    changes = Changes(like.id)
    for one in requests_of(sent, chosen, days, now):
        changes.add(replace(one, chat_id=chosen.choice(owners).id))
    await db.store.write(changes)
    table = db.models.chat.__table__
    async with db.engine.begin() as connection:
        for place, quiet in enumerate(owners):
            used = update(table).where(table.c.id == quiet.id)
            await connection.execute(used.values(updated_at=now - timedelta(hours=19 * place)))
    return owners


async def rate(
    db: Database[Any], like: Message, chats: Sequence[Chat], days: int, now: datetime
) -> None:
    """An answer in each of these chats, and what people thought of it, four a day."""
    chosen = random.Random(11)
    answers = [
        replace(
            like,
            id=new_id(),
            chat_id=chat.id,
            run_id=None,
            text="The handbook says so.",
            content=None,
            model=MODELS[place % len(MODELS)],
        )
        for place, chat in enumerate(chats)
    ]
    for answer in answers:
        changes = Changes(answer.chat_id)
        changes.add(answer)
        await db.store.write(changes)
    for number in range(4 * days):
        answer, is_good = chosen.choice(answers), chosen.random() < 0.8
        at = now - timedelta(days=number // 4, minutes=chosen.randrange(600))
        comment = None if is_good or number % 3 == 0 else COMMENTS[number % len(COMMENTS)]
        given = Feedback(
            id=new_id(),
            chat_id=answer.chat_id,
            message_id=answer.id,
            run_id=None,
            owner=f"reader-{number}",
            value=1 if is_good else -1,
            comment=comment,
            created_at=at,
            updated_at=at,
        )
        await db.store.put_feedback(given)


def requests_of(
    like: ApiRequest, chosen: random.Random, days: int, now: datetime
) -> Iterator[ApiRequest]:
    for back in range(days):
        at = now - timedelta(days=back)
        busy = 3 if at.weekday() > 4 else 14 + chosen.randrange(8)
        for number in range(busy):
            model = chosen.choices(MODELS, (5, 3, 2))[0]
            first = chosen.lognormvariate(6, 0.5)
            has_failed = chosen.random() < 0.04
            used = (chosen.randrange(200, 4000), chosen.randrange(20, 700))
            moment = at - timedelta(minutes=chosen.randrange(600))
            yield replace(
                like,
                id=new_id(),
                run_id=new_id(),
                kind="title" if number % 6 == 5 else None,
                model=model,
                provider="anthropic" if "claude" in model else "openai",
                started_at=min(moment, now),
                status="failed" if has_failed else "complete",
                http_status=chosen.choice((429, 529)) if has_failed else 200,
                error_type="ModelRateLimitError" if has_failed else None,
                error="Rate limit reached: try again in 20 s" if has_failed else None,
                first_token_ms=None if has_failed else first,
                latency_ms=first * 0.4 if has_failed else first + used[1] * 9,
                tokens=Tokens() if has_failed else Tokens(*used),
                cost=None if has_failed else Decimal(used[0] + 4 * used[1]) * PRICES[model] / 10**6,
                price_source=None if has_failed else "genai-prices",
            )
