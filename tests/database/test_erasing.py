"""What is deleted is gone, and what is kept of it leads to nobody."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, Literal
from uuid import UUID, uuid4

import pytest
from pydantic_ai.messages import BinaryContent
from sqlalchemy import Text, Uuid, cast, delete, func, literal_column, or_, select, update

from chatrecord import Chat
from chatrecord.errors import ChatNotFound, ConfigurationError, RunError
from chatrecord.sqlalchemy import Database, create_chat, delete_chat, load_chat, purge, usage
from chatrecord.sqlalchemy.tables import READY_MADE
from chatrecord.sqlalchemy.tables import Chat as ChatRow
from chatrecord.sqlalchemy.tables import Request as RequestRow
from chatrecord.sqlalchemy.tables import Run as RunRow
from chatrecord.testing import Script, call, fail, hang, say, think
from chatrecord.testing.look import die, has_journal, has_messages, until

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def look(at: str) -> str:
    return f"saw {at}"


async def a_chat(db: Database, secret: str, user_id: str) -> Chat:
    """One that has said the secret wherever it can be said."""
    script = Script(
        [think(secret), call("look", at=secret)],
        [say(secret)],
        [say(secret), fail(RuntimeError(secret))],
    )
    chat = await create_chat(
        db, script, user_id=user_id, title=secret, instructions=secret, metadata={"k": secret},
        tools=[look], retries=0,
    )  # fmt: skip
    reply = await chat.ask([secret, BinaryContent(secret.encode(), media_type="text/plain")])
    await chat.give_feedback(reply.message_id, 1, comment=secret, owner=secret)
    with pytest.raises(RunError):
        await chat.ask(secret, idempotency_key=secret)
    return chat


async def aged(db: Database, chat: Chat, when: datetime = LONG_AGO) -> Chat:
    """As if nobody had used it since."""
    async with db.engine.begin() as connection:
        await connection.execute(
            update(ChatRow).where(ChatRow.id == chat.id).values(updated_at=when)
        )
    return chat


async def rows_with(db: Database, secret: str) -> dict[str, int]:
    """In how many rows of each table the secret stands, in any column."""
    found: dict[str, int] = {}
    async with db.engine.connect() as connection:
        for table in READY_MADE.tables:
            holds = or_(*(cast(column, Text).contains(secret) for column in table.c))
            count = await connection.scalar(select(func.count()).select_from(table).where(holds))
            if count:
                found[table.name] = count
    return found


async def requests_since(db: Database, ids: set[UUID]) -> list[Any]:
    async with db.engine.connect() as connection:
        found = await connection.execute(select(RequestRow.__table__).order_by(RequestRow.id))
        return [row for row in found.mappings() if row["id"] in ids]


async def test_nothing_of_a_deleted_chat_is_left_in_any_column(backend: Database) -> None:
    secret = f"secret-{uuid4()}"
    chat = await a_chat(backend, secret, secret)
    spoken = {table.name for table in READY_MADE.tables} - {
        "llm_chunks",
        "llm_attachments",
        "llm_usage_days",
        "llm_events",
        "llm_event_readers",
    }
    assert set(await rows_with(backend, secret)) - {"llm_attachments"} == spoken
    assert await rows_with(backend, sha256(secret.encode()).hexdigest()) == {
        "llm_attachments": 1, "llm_messages": 1
    }  # fmt: skip

    await delete_chat(backend, chat.id)

    assert await rows_with(backend, secret) == {}
    assert await rows_with(backend, sha256(secret.encode()).hexdigest()) == {}
    told = [it async for it in backend.events(follow=False) if it.chat_id == chat.id]
    assert [(it.type, it.data) for it in told] == [("chat.deleted", {})]
    await backend.purge_events(timedelta(0))
    assert await rows_with(backend, str(chat.id)) == await rows_with(backend, chat.id.hex) == {}


@pytest.mark.parametrize("audit", ["keep", "anonymise"])
async def test_requests_can_be_kept_without_their_chat(
    backend: Database, audit: Literal["keep", "anonymise"]
) -> None:
    secret = f"secret-{uuid4()}"
    chat = await a_chat(backend, secret, secret)
    before = await chat.requests()
    everybody = (await usage(backend))[0].usage

    await delete_chat(backend, chat.id, audit=audit)

    rows = await requests_since(backend, {request.id for request in before})
    assert [(row["model"], row["status"], row["latency_ms"]) for row in rows] == [
        (request.model, request.status, request.latency_ms) for request in before
    ]
    assert {row["chat_id"] for row in rows} == {None}
    kept = {row[name] for row in rows for name in ("error", "run_id", "message_id")}
    assert (kept == {None}) == (audit == "anonymise")
    assert await rows_with(backend, secret) == ({"llm_requests": 1} if audit == "keep" else {})
    assert (await usage(backend))[0].usage == everybody, "reports still count them"
    assert (await usage(backend, user_id=secret))[0].usage.requests == 0
    assert sum(row.usage.requests for row in await usage(backend, by=["user_id"])) == (
        everybody.requests
    )


async def test_requests_without_a_chat_are_in_no_scope(backend: Database) -> None:
    chat = await a_chat(backend, "x", str(uuid4()))
    before = (await usage(backend, user_id=None))[0].usage.requests

    await delete_chat(backend, chat.id, audit="anonymise")

    assert (await usage(backend, user_id=None))[0].usage.requests == before


async def test_old_chats_are_purged_and_only_those_within_the_scope(backend: Database) -> None:
    ann, bob = str(uuid4()), str(uuid4())
    old = [await aged(backend, await create_chat(backend, Script(), user_id=ann)) for _ in range(3)]
    others = [await aged(backend, await create_chat(backend, Script(), user_id=bob))]
    recent = await create_chat(backend, Script(), user_id=ann)

    assert await purge(backend, older_than=DAY, user_id=ann) == 3
    assert await purge(backend, older_than=DAY, user_id=ann) == 0

    for chat in old:
        with pytest.raises(ChatNotFound):
            await load_chat(backend, Script(), chat.id)
    for chat in (*others, recent):
        await load_chat(backend, Script(), chat.id)


async def test_a_purge_takes_as_many_batches_as_it_needs(
    backend: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatrecord.chats.retention.BATCH", 2)
    ann = str(uuid4())
    for _ in range(5):
        await aged(backend, await create_chat(backend, Script(), user_id=ann))

    assert await purge(backend, older_than=datetime.now(UTC) - DAY, user_id=ann) == 5


async def test_a_chat_with_an_active_run_is_never_purged(backend: Database) -> None:
    ann = str(uuid4())
    chat = await create_chat(backend, Script([say("still "), hang()]), user_id=ann)
    reading = asyncio.create_task(chat.stream("Hi").__anext__())
    await until(lambda: has_messages(chat))
    await aged(backend, chat)

    assert await purge(backend, older_than=DAY, user_id=ann) == 0

    assert await chat.stop()
    assert (await chat.messages())[-1].text == "still "
    await asyncio.gather(reading, return_exceptions=True)
    assert await purge(backend, older_than=DAY, user_id=ann) == 1


async def test_a_chat_whose_process_died_is_purged(backend: Database, elsewhere: Database) -> None:
    ann = str(uuid4())
    chat = await create_chat(backend, Script([say("still "), hang()]), user_id=ann)
    reading = asyncio.create_task(chat.stream("Hi").__anext__())
    await until(lambda: has_messages(chat))
    await die(backend, chat)
    await aged(backend, chat)

    assert await purge(elsewhere, older_than=DAY, user_id=ann) == 1
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)


async def test_a_chat_that_is_used_while_it_is_purged_stays_whole(
    backend: Database, elsewhere: Database
) -> None:
    ann = str(uuid4())
    made = [await create_chat(backend, Script([say("hi")]), user_id=ann) for _ in range(8)]
    for chat in made:
        await aged(backend, chat)

    asked, _ = await asyncio.gather(
        asyncio.gather(*(chat.ask("Hi") for chat in made), return_exceptions=True),
        purge(elsewhere, older_than=DAY, user_id=ann),
    )

    for chat, outcome in zip(made, asked, strict=True):
        if isinstance(outcome, ChatNotFound):
            assert await chat.messages() == []
        else:
            assert not isinstance(outcome, BaseException), outcome
            assert [message.text for message in await chat.messages()] == ["Hi", "hi"]


async def test_a_chat_that_is_resumed_while_it_is_purged_stays_whole(
    backend: Database, elsewhere: Database
) -> None:
    if backend.engine.dialect.name == "sqlite":
        pytest.skip("a transaction that writes locks the file")
    ann = str(uuid4())
    chat = await create_chat(backend, Script([say("hi")]), user_id=ann)
    await chat.ask("Hi")
    await aged(backend, chat)

    async with elsewhere.engine.begin() as resuming:
        held = update(RunRow).where(RunRow.chat_id == chat.id)
        active = {"status": "running", "active_chat_id": chat.id}
        alive = {"lease_until": datetime.now(UTC) + DAY, "finished_at": None}
        await resuming.execute(held.values(active | alive))
        purging = asyncio.create_task(purge(backend, older_than=DAY, user_id=ann))
        await asyncio.sleep(0.5)  # it waits for the run

    assert await purging == 0
    assert [message.text for message in await chat.messages()] == ["Hi", "hi"]
    await delete_chat(backend, chat.id)


async def test_a_deleted_chat_takes_the_pieces_of_its_live_answer_along(
    backend: Database, elsewhere: Database
) -> None:
    """No foreign key does so, and its process may write more of them meanwhile."""
    secret = f"secret-{uuid4()}"
    script = Script([say(*[f"{secret} "] * 400, pause=0.005)])
    chat = await create_chat(backend, script)
    asking = asyncio.create_task(chat.ask("Go"))
    await until(lambda: has_journal(backend, chat))

    await delete_chat(elsewhere, chat.id)

    assert await rows_with(backend, secret) == {}
    with pytest.raises(RunError):
        await asking
    assert await rows_with(backend, secret) == {}


async def test_pieces_whose_message_was_deleted_by_hand_are_repaired(backend: Database) -> None:
    secret = f"secret-{uuid4()}"
    chat = await create_chat(backend, Script([say(secret), hang()]))
    asking = asyncio.create_task(chat.ask("Go"))
    await until(lambda: has_journal(backend, chat))
    backend.runtime.journal.pause()
    async with backend.engine.begin() as connection:
        await connection.execute(delete(READY_MADE.run.__table__).where(of(chat)))
        await connection.execute(delete(READY_MADE.message.__table__).where(of(chat)))
        await connection.execute(delete(ChatRow).where(ChatRow.id == chat.id))
    assert await rows_with(backend, secret) == {"llm_chunks": 1}

    await backend.repair()

    assert await rows_with(backend, secret) == {}
    backend.runtime.journal.go_on()
    await asyncio.gather(asking, return_exceptions=True)


def of(chat: Chat) -> Any:
    """The rows of a chat, in the table that is asked for."""
    return literal_column("chat_id", Uuid) == chat.id


@pytest.mark.parametrize("older_than", [90, datetime(2020, 1, 1), -DAY])  # noqa: DTZ001
async def test_a_purge_wants_to_know_how_old(db: Database, older_than: Any) -> None:
    with pytest.raises(ValueError, match="older_than= takes a time span"):
        await purge(db, older_than=older_than)


async def test_a_purge_without_a_time_takes_the_retention(db: Database) -> None:
    with pytest.raises(ConfigurationError, match="takes older_than="):
        await purge(db)


async def test_what_becomes_of_the_audit_is_one_of_three(db: Database) -> None:
    chat = await create_chat(db, Script())

    with pytest.raises(ValueError, match="'anonymise'"):
        await purge(db, older_than=DAY, audit="forget")  # type: ignore[call-overload]
    with pytest.raises(ValueError, match="'keep'"):
        await delete_chat(db, chat.id, audit="forget")  # type: ignore[call-overload]
