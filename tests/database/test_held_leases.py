"""Leases that a flush only checks: no other process gets in between the check and the commit."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from chatrecord.chats.chat import Chat
from chatrecord.records import Run
from chatrecord.sqlalchemy import Database, create_chat, delete_chat
from chatrecord.sqlalchemy.store.flushes import flushes
from chatrecord.store.changes import JournalEntry, Lease
from chatrecord.testing import Script, hang, say
from chatrecord.testing.look import die, has_journal, journal_of, until

FAR = timedelta(hours=1)


@asynccontextmanager
async def dead(backend: Database) -> AsyncIterator[tuple[Chat, Run, Lease, JournalEntry]]:
    """A chat whose answer has come half, its run, a lease on that, and one more piece."""
    chat = await create_chat(backend, Script([say("half"), hang()]))
    asking = asyncio.create_task(chat.ask("Go"))
    await until(lambda: has_journal(backend, chat))
    await die(backend, chat)
    run = await chat.active_run()
    assert run is not None
    answer = (await chat.messages())[-1]
    lease = Lease(run.id, run.owner, run.epoch, datetime.now(UTC) + FAR)
    yield chat, run, lease, JournalEntry(answer.id, 99, {"kind": "text", "text": " more"})
    asking.cancel()
    backend.runtime.journal.go_on()
    await asyncio.gather(asking, return_exceptions=True)


async def waits_for_the_flush(
    backend: Database, lease: Lease, piece: JournalEntry, other: Awaitable[object]
) -> object:
    """What the other comes to, which does not end before the flush."""
    async with backend.store.urgent_transaction() as connection:
        (flush,) = flushes({lease: [piece]}, renew=())
        held = await backend.store._flush_on(connection, flush)
        waiting = asyncio.ensure_future(other)
        done, _ = await asyncio.wait([waiting], timeout=0.5)
        assert held == {lease.run_id: False}
        assert not done
    return await waiting


async def test_no_run_is_taken_over_between_a_check_and_its_commit(
    backend: Database, elsewhere: Database
) -> None:
    """Though its lease is over, which a process that sleeps does not know."""
    async with dead(backend) as (chat, run, lease, piece):
        now = datetime.now(UTC)
        claim = elsewhere.store.claim(run, owner="other", now=now, until=now + FAR)

        assert await waits_for_the_flush(backend, lease, piece, claim) is not None

        assert await journal_of(elsewhere, chat) == "half more", "as the new owner finds it"
        assert await backend.store.flush({lease: [piece]}, renew=()) == {}


async def test_no_chat_is_deleted_between_a_check_and_its_commit(
    backend: Database, elsewhere: Database
) -> None:
    async with dead(backend) as (chat, _, lease, piece):
        await waits_for_the_flush(backend, lease, piece, delete_chat(elsewhere, chat.id))

        assert await backend.store.journal(piece.message_id, after=-1) == []
        assert await backend.store.flush({lease: [piece]}, renew=()) == {}
