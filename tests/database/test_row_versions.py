"""What tells whether a row has changed tells it also where databases behave in an odd way."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest
from sqlalchemy import text
from test_history_cache import long_chat, scripted

from chatrecord import Window
from chatrecord.chats.chat import Chat
from chatrecord.ids import new_id
from chatrecord.records import Message
from chatrecord.sqlalchemy import Database
from chatrecord.store.changes import Changes
from servers import OwnPostgres, own_postgres

_LARGE = 5
"""The number of a message."""


@pytest.fixture
def server() -> Iterator[OwnPostgres]:
    with own_postgres() as server:
        yield server


async def test_a_server_that_has_lost_its_last_transactions_gives_their_numbers_again(
    server: OwnPostgres,
) -> None:
    """As one does that takes over before the last log has arrived."""
    url = server.url.render_as_string(hide_password=False)
    async with Database(url) as db:
        await db.create_tables()
        chat = await long_chat(db, scripted())
        async with db.engine.connect() as connection:
            alone = await connection.execution_options(isolation_level="AUTOCOMMIT")
            await alone.execute(text("ALTER SYSTEM SET autovacuum = off"))  # it takes numbers
        await asyncio.to_thread(server.stop)
        await asyncio.to_thread(server.keep)
        await asyncio.to_thread(server.start)
        await db.engine.dispose()
        lost = await _said(db, chat, "a lost question")
        assert (await _history(db, chat))[-1].text == "a lost question"

        await asyncio.to_thread(server.stop)
        await asyncio.to_thread(server.go_back)
        await asyncio.to_thread(server.start)
        await db.engine.dispose()  # its connections are gone
        while await _next_number(db) < lost:
            async with db.engine.begin() as connection:
                await connection.execute(text("SELECT txid_current()"))
        assert await _said(db, chat, "a kept question") == lost, "or nothing is tried here"

        assert (await _history(db, chat))[-1].text == "a kept question"


async def _said(db: Database, chat: Chat, question: str) -> int:
    """Add a question to a chat, and return the number of the transaction."""
    last = (await chat.messages())[-2]
    message = replace(last, id=new_id(), seq=last.seq + 2, run_id=None, text=question)
    changes = Changes(chat.id)
    changes.add(message)
    await db.store.write(changes)
    async with db.engine.connect() as connection:
        found = text("SELECT CAST(CAST(xmin AS TEXT) AS BIGINT) FROM llm_messages WHERE id = :id")
        number: int = (await connection.execute(found, {"id": message.id})).scalar_one()
    return number


async def _next_number(db: Database) -> int:
    async with db.engine.connect() as connection:
        now = text("SELECT txid_snapshot_xmax(txid_current_snapshot())")
        number: int = (await connection.execute(now)).scalar_one()
    return number


async def test_a_row_that_is_too_large_to_be_hashed_is_read_each_time(mariadb_url: str) -> None:
    async with Database(mariadb_url, history_cache=2**28) as db:
        chat = await long_chat(db, scripted())
        for change in (
            "text = repeat('x', 9000000), reasoning = repeat('y', 9000000)",  # together more than a packet
            "content = replace(content, 'q0', 'Q0')",
        ):
            for _ in range(2):  # it is kept as it was, and then changed
                said = [it.content for it in await _history(db, chat) if it.seq == _LARGE]
            async with db.engine.begin() as connection:
                of = f"seq = {_LARGE}"  # of the only chat
                await connection.execute(text(f"UPDATE llm_messages SET {change} WHERE {of}"))
            await _history(db, chat)

        assert '"q0"' in json.dumps(said)
        said = [it.content for it in await _history(db, chat) if it.seq == _LARGE]
        assert '"Q0"' in json.dumps(said)


async def _history(db: Database, chat: Chat) -> Sequence[Message]:
    return await db.store.history(chat.id, Window(), before=9999)
