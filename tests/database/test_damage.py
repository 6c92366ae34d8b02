"""What somebody else has done to the stored JSON is noticed, and costs no more than it must."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import JSON, Text, bindparam, type_coerce, update
from sqlalchemy import cast as sql_cast

from chatrecord import Chat
from chatrecord.errors import DatabaseFailed
from chatrecord.sqlalchemy import Database, create_chat, list_chats, load_chat
from chatrecord.sqlalchemy.tables import Message as MessageRow
from chatrecord.testing import Script, hang, say
from chatrecord.testing.look import has_journal, spoken, until

FOREIGN: list[Any] = [
    {"role": "user", "content": "hi"}, [], "text", 7, {}, {"kind": "response"},
    {"kind": "request", "parts": [{"part_kind": "from the future"}]},
    {"kind": "response", "parts": [{"part_kind": "text", "content": {"a": 1}}]},
]  # fmt: skip


async def overwritten(backend: Database, stored: str) -> Chat:
    """A chat whose first answer now holds this as its content."""
    chat = await create_chat(backend, Script([say("one")], [say("two")]))
    await chat.ask("1")
    await chat.ask("2")
    table = MessageRow.__table__
    value: Any = bindparam("value", stored, type_=Text())
    if backend.engine.dialect.name == "postgresql":
        value = sql_cast(value, JSON())
    else:
        value = type_coerce(value, Text())
    async with backend.engine.begin() as connection:
        first = (table.c.chat_id == chat.id) & (table.c.seq == 2)
        await connection.execute(update(table).where(first).values({table.c.content: value}))
    return chat


@pytest.mark.parametrize("content", FOREIGN, ids=range(len(FOREIGN)))
async def test_a_message_of_foreign_content_is_replayed_as_its_text(
    backend: Database, content: Any
) -> None:
    chat = await overwritten(backend, json.dumps(content))
    script = Script([say("three")])

    await (await load_chat(backend, script, chat.id)).ask("3")

    assert spoken(script.requests[0]) == [
        ("user", "1"), ("assistant", "one"), ("user", "2"), ("assistant", "two"), ("user", "3"),
    ]  # fmt: skip


@pytest.mark.parametrize("stored", ['{"kind": "resp', "", "[" * 100_000, "\x00"])
async def test_json_that_was_cut_off_says_so(db: Database, stored: str) -> None:
    chat = await overwritten(db, stored)

    with pytest.raises(DatabaseFailed, match="changed or cut off"):
        await chat.messages()
    with pytest.raises(DatabaseFailed, match="changed or cut off"):
        await chat.ask("3")


async def test_a_damaged_chat_stops_the_repair_of_no_other(db: Database) -> None:
    async with Database(db.engine, lease=timedelta(seconds=0.2)) as dying:
        doomed = [
            await create_chat(dying, Script([say("half"), hang()]), user_id="u") for _ in range(2)
        ]
        asking = [asyncio.create_task(chat.ask("q")) for chat in doomed]
        for chat in doomed:
            await until(partial(has_journal, dying, chat))
        dying.runtime.journal.pause()
        await asyncio.sleep(0.3)
        damaged, whole = doomed
        table = MessageRow.__table__
        async with db.engine.begin() as connection:
            first = (table.c.chat_id == damaged.id) & (table.c.seq == 1)
            cut_off = {table.c.content: type_coerce(bindparam("cut", "{", type_=Text()), Text())}
            await connection.execute(update(table).where(first).values(cut_off))

        assert len(await list_chats(db, user_id="u")) == 2
        assert await db.repair() == 0

        twin = await load_chat(db, Script([say("on")]), whole.id)
        assert [message.status for message in await twin.messages()] == ["complete", "interrupted"]
        for task in asking:
            task.cancel()
        await asyncio.gather(*asking, return_exceptions=True)
