"""What tells whether a row has changed tells it also where databases behave in an odd way."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence

import pytest
from sqlalchemy import text
from test_history_cache import long_chat, scripted

from chatrecord import Window
from chatrecord.chats.chat import Chat
from chatrecord.records import Message
from chatrecord.sqlalchemy import Database
from chatrecord.testing.look import spoken
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
        script = scripted("first answer", "lost answer", "kept answer", "last answer")
        chat = await long_chat(db, script)
        async with db.engine.connect() as connection:
            alone = await connection.execution_options(isolation_level="AUTOCOMMIT")
            await alone.execute(text("ALTER SYSTEM SET autovacuum = off"))  # it takes numbers
        before = await _spent_number(db)
        await chat.ask("a first question")
        behind = await _number_of_question(db, chat) - before
        await asyncio.to_thread(server.stop)
        await asyncio.to_thread(server.keep)
        await asyncio.to_thread(server.start)
        await chat.ask("a lost question")
        await _history(db, chat)
        lost = await _number_of_question(db, chat)

        await asyncio.to_thread(server.stop)
        await asyncio.to_thread(server.go_back)
        await asyncio.to_thread(server.start)
        while await _spent_number(db) < lost - behind:
            pass
        await chat.ask("a kept question")
        assert await _number_of_question(db, chat) == lost, "or nothing is tried here"
        await chat.ask("the last question")

    assert spoken(script.requests[-1])[-3:] == [
        ("user", "a kept question"),
        ("assistant", "kept answer"),
        ("user", "the last question"),
    ]


async def _number_of_question(db: Database, chat: Chat) -> int:
    question = (await chat.messages())[-2]
    async with db.engine.connect() as connection:
        found = text("SELECT CAST(CAST(xmin AS TEXT) AS BIGINT) FROM llm_messages WHERE id = :id")
        number: int = (await connection.execute(found, {"id": question.id})).scalar_one()
    return number


async def _spent_number(db: Database) -> int:
    async with db.engine.begin() as connection:
        spent = await connection.execute(text("SELECT CAST(txid_current() AS BIGINT)"))
        number: int = spent.scalar_one()
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
                of = f"chat_id = '{chat.id}' AND seq = {_LARGE}"
                await connection.execute(text(f"UPDATE llm_messages SET {change} WHERE {of}"))
            await _history(db, chat)

        assert '"q0"' in json.dumps(said)
        said = [it.content for it in await _history(db, chat) if it.seq == _LARGE]
        assert '"Q0"' in json.dumps(said)


async def _history(db: Database, chat: Chat) -> Sequence[Message]:
    return await db.store.history(chat.id, Window(), before=9999)
