"""What a flush of the journal writes, and when: few statements, and few rows of many streams."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from test_statements import counting

from chatrecord.chats.chat import Chat
from chatrecord.runs import journal
from chatrecord.runs.journal import FLUSH_SECONDS, LONGEST_FLUSH_SECONDS, pause_after
from chatrecord.sqlalchemy import Database, create_chat
from chatrecord.store.changes import JournalEntry, Lease
from chatrecord.testing import Script, hang, meet, say
from chatrecord.testing.look import has_journal, journal_of, until

UNTIL = datetime.now(UTC) + timedelta(hours=1)
"""All leases of a flush have one end."""


async def live(db: Database) -> tuple[Chat, Lease, JournalEntry]:
    """A chat whose answer is live, its lease, and a piece of text that nobody has written."""
    chat = await create_chat(db, Script([say("half"), hang()]))
    asyncio.create_task(chat.ask("Go")).add_done_callback(_heard)
    await until(lambda: has_journal(db, chat))
    run = await chat.active_run()
    assert run is not None
    lease = Lease(run.id, run.owner, run.epoch, UNTIL)
    answer = (await chat.messages())[-1]
    return chat, lease, JournalEntry(answer.id, 99, {"kind": "text", "text": " more"})


def _heard(task: asyncio.Task[Any]) -> None:
    if not task.cancelled():
        task.exception()


@pytest.mark.parametrize("due", [0, 3])
async def test_a_flush_of_many_streams_is_one_transaction_of_few_statements(
    any_url: str, due: int
) -> None:
    async with Database(any_url) as db:
        streams = [await live(db) for _ in range(5)]
        db.runtime.journal.pause()
        silent, *others = ([lease, piece] for _, lease, piece in streams)
        news = {silent[0]: [], **{lease: [piece] for lease, piece in others}}
        renewed = [lease.run_id for lease, _ in others[:due]]

        with counting(db) as counted:
            kept = await db.store.flush(news, renew=renewed)

        assert kept == {lease.run_id: False for lease in news}
        assert counted.commits == 1
        most = 1 if db.engine.dialect.name == "postgresql" else 3
        assert len(counted.statements) <= most, [sql for sql, _ in counted.statements]
        texts = [await journal_of(db, chat) for chat, _, _ in streams]
        assert texts == ["half", *["half more"] * 4]
        ends = [(await _run(chat)).lease_until for chat, _, _ in streams]
        renewed_ends = [abs(end - UNTIL) < timedelta(minutes=1) for end in ends]
        assert renewed_ends == [False, *[True] * due, *[False] * (4 - due)]
        db.runtime.journal.go_on()


async def test_what_is_too_large_for_a_packet_is_written_in_portions(any_url: str) -> None:
    async with Database(any_url) as db:
        streams = [await live(db) for _ in range(3)]
        db.runtime.journal.pause()
        large = {"kind": "text", "text": "0123456789" * 6_000}
        news = {
            lease: [JournalEntry(piece.message_id, 99 + n, large) for n in range(4)]
            for _, lease, piece in streams
        }

        assert len(await db.store.flush(news, renew=())) == 3

        for chat, _, _ in streams:
            assert len(await journal_of(db, chat)) == len("half") + 4 * 60_000
        db.runtime.journal.go_on()


async def test_who_only_looks_waits_for_no_writer(db: Database) -> None:
    """SQLite has one lock for a file: a process whose runs are silent does not take it."""
    _, lease, _ = await live(db)
    db.runtime.journal.pause()
    await db.store.flush({lease: []}, renew=())
    path = str(db.engine.url.database)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        async with asyncio.timeout(2):
            assert await db.store.flush({lease: []}, renew=()) == {lease.run_id: False}
        other.execute("ROLLBACK")
    db.runtime.journal.go_on()


async def test_a_first_piece_does_not_wait_and_takes_no_other_along(
    any_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where many streams share rare flushes, each first piece would be a flush of them all."""
    monkeypatch.setattr(journal, "FLUSH_SECONDS", 60)
    async with Database(any_url) as db:
        gate, said = asyncio.Event(), asyncio.Event()

        async def tell() -> None:
            said.set()

        slow = Script([say("one"), meet(gate.wait), say(" two"), meet(tell), hang()])
        first, second = (
            await create_chat(db, slow),
            await create_chat(db, Script([say("x"), hang()])),
        )
        stream = first.stream("Go")
        assert (await anext(stream)).text == "one"
        gate.set()
        await said.wait()

        assert (await anext(second.stream("Go"))).text == "x"

        assert await journal_of(db, first) == "one"


def test_the_more_streams_have_news_the_rarer_are_flushes() -> None:
    assert [round(pause_after(streams, took=0), 3) for streams in (0, 1, 50, 100, 200, 500)] == [
        *(FLUSH_SECONDS, FLUSH_SECONDS, FLUSH_SECONDS),
        *(0.1, LONGEST_FLUSH_SECONDS, LONGEST_FLUSH_SECONDS),
    ]


def test_a_slow_flush_is_followed_by_a_short_pause() -> None:
    assert pause_after(500, took=0.1) == pytest.approx(LONGEST_FLUSH_SECONDS - 0.1)
    assert pause_after(1, took=0.03) == pytest.approx(FLUSH_SECONDS - 0.03)
    assert 0 < pause_after(500, took=3) == pause_after(1, took=3) < FLUSH_SECONDS


async def _run(chat: Chat) -> Any:
    return await chat.active_run()
