"""The times that a Database is given."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chatrecord.errors import ConfigurationError
from chatrecord.sqlalchemy import Database, create_chat
from chatrecord.testing import Script, hang, say
from chatrecord.testing.look import die, has_journal, load, until


@pytest.mark.parametrize("name", ["lease", "patience"])
@pytest.mark.parametrize("time", [timedelta(0), timedelta(seconds=-1), 30])
def test_a_time_must_be_positive(name: str, time: Any) -> None:
    times: dict[str, Any] = {name: time}
    with pytest.raises(ConfigurationError, match=rf"{name}= must be .* timedelta\(seconds=30\)"):
        Database("sqlite://", **times)


async def test_who_repairs_a_run_holds_it_for_the_lease_of_its_database(any_url: str) -> None:
    async with Database(any_url) as here, Database(any_url, lease=timedelta(hours=3)) as there:
        chat = await create_chat(here, Script([say("half"), hang()]))
        asking = asyncio.create_task(chat.ask("Go"))
        await until(lambda: has_journal(here, chat))
        await die(here, chat)

        await load(there, chat, Script())

        answered = (await chat.messages())[-1]
        assert answered.run_id is not None
        run = await there.store.get_run(chat.id, answered.run_id)
        assert run is not None
        assert (run.status, run.owner) == ("interrupted", there.runtime.journal.owner)
        assert run.lease_until > datetime.now(UTC) + timedelta(hours=2)
        here.runtime.journal.go_on()
        await asyncio.wait([asking])
