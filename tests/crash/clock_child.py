"""A process on a machine whose clock is wrong: it repairs what it takes for dead, and answers."""

from __future__ import annotations

import asyncio
import sys
import time
from datetime import datetime, timedelta, tzinfo
from multiprocessing.connection import Connection

from chatrecord import ids
from chatrecord.sqlalchemy import Database, create_chat, load_chat
from chatrecord.testing import Script, hang, say
from chatrecord.testing.look import has_journal, until

LEASE = timedelta(seconds=1.5)


def run(url: str, chat_id: str, wrong_by: timedelta, told: Connection) -> None:
    """Its whole life: it tells what it has repaired, then ids of its own chat and runs."""
    set_clock(wrong_by)
    asyncio.run(_run(url, chat_id, told))


def set_clock(wrong_by: timedelta) -> None:
    """From now on the library reads this clock."""

    class Wrong(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return datetime.now(tz) + wrong_by

    for name, module in list(sys.modules.items()):
        if name.startswith("chatrecord.") and getattr(module, "datetime", None) is datetime:
            module.datetime = Wrong  # type: ignore[attr-defined]
    right, nanoseconds = time.time_ns, int(wrong_by.total_seconds()) * 10**9
    ids.time.time_ns = lambda: right() + nanoseconds  # type: ignore[attr-defined]


async def _run(url: str, chat_id: str, told: Connection) -> None:
    async with Database(url, lease=LEASE) as db:
        await db.repair()
        chat = await load_chat(db, Script(), chat_id)
        told.send(await chat.active_run() is not None)
        mine = await create_chat(db, Script([say("half"), hang()]), on_busy="wait")
        asking = asyncio.create_task(mine.ask("Go"))
        await until(lambda: has_journal(db, mine))
        run = await mine.active_run()
        assert run is not None
        waiting = asyncio.create_task(mine.ask("And then?"))
        told.send((str(mine.id), str(run.id), str(run.started_at)))
        await asyncio.gather(asking, waiting)
