"""Leases that a flush only checks: no other process gets in between the check and the commit."""

import asyncio
from datetime import UTC, datetime, timedelta

from chatrecord.sqlalchemy import Database, create_chat
from chatrecord.sqlalchemy.store.run_writes import _renewal
from chatrecord.store.changes import JournalEntry, Lease
from chatrecord.testing import Script, hang, say
from chatrecord.testing.look import die, has_journal, until

FAR = timedelta(hours=1)


async def test_no_run_is_taken_over_between_a_check_and_its_commit(
    backend: Database, elsewhere: Database
) -> None:
    """Though its lease is over, which a process that sleeps does not know."""
    chat = await create_chat(backend, Script([say("half"), hang()]))
    asking = asyncio.create_task(chat.ask("Go"))
    await until(lambda: has_journal(backend, chat))
    await die(backend, chat)
    run = await chat.active_run()
    assert run is not None
    answer = (await chat.messages())[-1]
    now = datetime.now(UTC)
    lease = Lease(run.id, run.owner, run.epoch, now + FAR)
    piece = JournalEntry(answer.id, 99, {"kind": "text", "text": "more"})

    async with backend.store.urgent_transaction() as connection:
        held = await backend.store._held(connection, _renewal([lease]), [run.id])
        claim = elsewhere.store.claim(run, owner="other", now=now, until=now + FAR)
        taking = asyncio.create_task(claim)
        done, _ = await asyncio.wait([taking], timeout=0.5)
        assert held == {run.id: False}
        assert not done

    assert await taking is not None
    assert await backend.store.flush({lease: [piece]}, renew=()) == {}
    asking.cancel()
    backend.runtime.journal.go_on()
    await asyncio.gather(asking, return_exceptions=True)
