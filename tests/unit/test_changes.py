"""Changes of one chat by several tasks: each has all that the others have changed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest

from chatrecord.records import ChatRecord
from chatrecord.sqlalchemy import Database, create_chat
from chatrecord.testing import Script, say


@pytest.fixture
async def db() -> AsyncIterator[Database]:
    async with Database("sqlite:///:memory:") as db:
        await db.create_tables()
        yield db


@pytest.mark.parametrize("slow", [{"title": "Late"}, {"instructions": "Be brief."}])
async def test_a_change_that_ends_later_keeps_the_llm_of_another(
    db: Database, monkeypatch: pytest.MonkeyPatch, slow: dict[str, Any]
) -> None:
    chat = await create_chat(db, Script([say("old")]), instructions="Be long.")
    is_stored, may_end = asyncio.Event(), asyncio.Event()
    stored = db.store.update_chat

    async def late(_: object, changes: Mapping[str, object], *rest: Any) -> ChatRecord | None:
        found = await stored(chat.id, changes, *rest)
        if changes.keys() == slow.keys():
            is_stored.set()
            await may_end.wait()
        return found

    monkeypatch.setattr(db.store, "update_chat", late)
    changing = asyncio.create_task(chat.update(**slow))
    await is_stored.wait()
    await chat.update(llm=Script([say("new")]))
    may_end.set()
    await changing

    reply = await chat.ask("?")

    assert reply.text == "new"
    run = await db.store.get_run(chat.id, reply.run_id)
    assert run is not None
    assert run.instructions == slow.get("instructions", "Be long.")
