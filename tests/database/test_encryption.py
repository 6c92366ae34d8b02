"""With keys, nothing that was said can be read in the database; without them, nothing at all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Text, cast, func, or_, select, type_coerce, update
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from chatrecord import Chat
from chatrecord.errors import ConfigurationError, DatabaseFailed, KeyMissing, RunError
from chatrecord.sqlalchemy import (
    ChatMixin,
    ChunkMixin,
    Database,
    Keys,
    MessageMixin,
    RunMixin,
    create_chat,
    export_chat,
    import_chat,
    list_chats,
    load_chat,
    rotate,
)
from chatrecord.sqlalchemy.store import key_rotation as rotation
from chatrecord.sqlalchemy.store import title_search as titles
from chatrecord.sqlalchemy.tables import READY_MADE
from chatrecord.sqlalchemy.tables import Message as MessageRow
from chatrecord.store.changes import Changes
from chatrecord.testing import Script, call, fail, hang, say, think
from chatrecord.testing.conformance import Conformance
from chatrecord.testing.conformance.repair import TheDeadAreRepaired
from chatrecord.testing.conformance.replay import HistoryIsReplayed
from chatrecord.testing.conformance.shared import AWKWARD, PARSABLE
from chatrecord.testing.conformance.titles import TitlesAreKept
from chatrecord.testing.conformance.values import ValuesComeBack
from chatrecord.testing.look import dumped, has_messages, until

OLD, NEW = Keys.new(), Keys.new()
PRIVATE_PARTS = ("title", "instructions", "metadata", "prompt", "thought", "arguments", "result",
                 "answer", "partial", "error", "live")  # fmt: skip


@pytest.fixture
def any_url(own_url: str) -> str:
    """No other test shares what only some keys can read."""
    return own_url


class WithKeys:
    """The fixtures of databases that two processes encrypt with the same newest key."""

    @pytest.fixture
    async def backend(self, any_url: str) -> AsyncIterator[Database]:
        async with Database(any_url, encryption=Keys(NEW)) as db:
            yield db

    @pytest.fixture
    async def elsewhere(self, any_url: str) -> AsyncIterator[Database]:
        async with Database(any_url, encryption=Keys(NEW, OLD)) as db:
            yield db


class TestValuesWithKeys(
    WithKeys, ValuesComeBack, HistoryIsReplayed, TheDeadAreRepaired, TitlesAreKept
):
    """What encryption could change first: values, history, the journal of the dead, titles."""


@pytest.mark.slow
class TestEverythingWithKeys(WithKeys, Conformance):
    """Every promise holds with encryption, too."""


async def test_encrypted_titles_are_searched_page_by_page(
    sealed: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(titles, "BATCH", 2)
    for n in range(7):
        await create_chat(sealed, Script(), title=f"{'odd' if n % 2 else 'even'} {n}")

    first = await list_chats(sealed, limit=2, search="EVEN")
    second = await list_chats(sealed, limit=9, search="EVEN", before=first[-1])

    assert [[chat.title for chat in page] for page in (first, second)] == [
        ["even 6", "even 4"], ["even 2", "even 0"],
    ]  # fmt: skip


@pytest.fixture
async def sealed(any_url: str) -> AsyncIterator[Database]:
    """A database with one key."""
    async with Database(any_url, encryption=Keys(OLD)) as db:
        yield db


def words(secret: str) -> dict[str, str]:
    """A secret for each place where one can be said."""
    return {part: f"{secret}-{part}-ü" for part in PRIVATE_PARTS}


async def a_chat(db: Database, said: dict[str, str]) -> Chat:
    def look(at: str) -> str:
        return said["result"]

    script = Script(
        [think(said["thought"]), call("look", at=said["arguments"])],
        [say(said["answer"])],
        [say(said["partial"]), fail(RuntimeError(said["error"]))],
        [say(said["live"]), hang()],
    )
    chat = await create_chat(
        db, script, user_id="ann", title=said["title"], instructions=said["instructions"],
        metadata={said["metadata"]: [said["metadata"]]}, tools=[look], retries=0,
    )  # fmt: skip
    await chat.ask(said["prompt"])
    with pytest.raises(RunError):
        await chat.ask(said["prompt"])
    return chat


async def rows_with(db: Database, text: str) -> dict[str, int]:
    """In how many rows of each table this stands, in any column, as the database has it."""
    found: dict[str, int] = {}
    async with db.engine.connect() as connection:
        for table in READY_MADE.tables:
            raw = [cast(type_coerce(column, Text()), Text()) for column in table.c]
            if db.engine.dialect.name == "postgresql":
                raw = [cast(column, Text()) for column in table.c]
            holds = or_(*(column.like(f"%{text}%") for column in raw))
            count = await connection.scalar(select(func.count()).select_from(table).where(holds))
            if count:
                found[table.name] = count
    return found


async def test_no_message_text_is_readable_in_any_column(sealed: Database) -> None:
    secret = f"secret-{uuid4().hex}"
    said = words(secret)
    chat = await a_chat(sealed, said)
    reading = asyncio.create_task(read_all(chat))
    await until(lambda: is_live(chat, said["live"], sealed))

    assert await rows_with(sealed, secret) == {}, "while an answer streams"
    assert await rows_with(sealed, "ann"), "this look finds what is there"

    await chat.stop()
    await asyncio.gather(reading, return_exceptions=True)
    assert await rows_with(sealed, secret) == {}, "after it"
    assert [message.text for message in await chat.messages()][:4] == [
        said["prompt"], "", "", said["answer"],
    ]  # fmt: skip
    (row,) = await chat.tool_calls()
    assert (row.arguments, row.result) == ({"at": said["arguments"]}, said["result"])


async def read_all(chat: Chat) -> None:
    async for _ in chat.stream("and now?"):
        pass


async def is_live(chat: Chat, text: str, db: Database) -> bool:
    if not await has_messages(chat):
        return False
    entries = await db.store.journal((await chat.messages())[-1].id, after=-1)
    return any(text in entry.piece[1] for entry in entries)


async def test_no_message_text_is_in_the_files_of_sqlite(tmp_path: Path) -> None:
    secret = f"secret-{uuid4().hex}"
    said = words(secret)
    async with Database(f"sqlite:///{tmp_path / 'kept.db'}", encryption=Keys(OLD)) as db:
        await db.create_tables()
        chat = await a_chat(db, said)
        reading = asyncio.create_task(read_all(chat))
        await until(lambda: is_live(chat, said["live"], db))

        while_it_streams = bytes_in(tmp_path)
        await chat.stop()
        await asyncio.gather(reading, return_exceptions=True)
        after_it = bytes_in(tmp_path)
    for found in (while_it_streams, after_it, bytes_in(tmp_path)):
        assert b"script" in found, "this look finds what is there"
        assert secret.encode() not in found


def bytes_in(folder: Path) -> bytes:
    """Of all files: the database, its log and whatever else lies there."""
    return b"".join(file.read_bytes() for file in sorted(folder.iterdir()))


async def test_without_the_key_it_says_which_is_missing(sealed: Database, any_url: str) -> None:
    chat = await a_chat(sealed, words("s"))

    for keys in (None, Keys(NEW)):
        async with Database(any_url, encryption=keys) as other:
            with pytest.raises(KeyMissing, match=r"encrypted with the key [0-9a-f]{8}") as raised:
                await load_chat(other, Script(), chat.id)
            assert OLD not in str(raised.value)
            assert "Keys(newest, older)" in str(raised.value)


async def test_rotation_ends_the_need_for_the_old_key(sealed: Database, any_url: str) -> None:
    chat = await a_chat(sealed, words("s"))
    before = [line async for line in export_chat(sealed, chat.id)]

    async with Database(any_url, encryption=Keys(NEW, OLD)) as both:
        assert [line async for line in export_chat(both, chat.id)] == before, "it reads the old"
        assert await rotate(both) > 0
        assert await rotate(both) == 0

    async with Database(any_url, encryption=Keys(NEW)) as newest:
        assert [line async for line in export_chat(newest, chat.id)] == before
    with pytest.raises(KeyMissing):
        await load_chat(sealed, Script(), chat.id)


async def test_what_was_stored_before_there_were_keys_is_read_and_then_encrypted(
    backend: Database, any_url: str
) -> None:
    secret = f"secret-{uuid4().hex}"
    chat = await a_chat(backend, words(secret) | {"title": AWKWARD, "answer": AWKWARD})
    before = [line async for line in export_chat(backend, chat.id)]
    assert len(await rows_with(backend, secret)) == 5

    async with Database(any_url, encryption=Keys(NEW, OLD)) as db:
        assert [line async for line in export_chat(db, chat.id)] == before
        await rotate(db)

        assert await rows_with(db, secret) == {}
        assert [line async for line in export_chat(db, chat.id)] == before


async def test_rotation_takes_as_many_batches_as_it_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatrecord.sqlalchemy.store.key_rotation.BATCH", 2)
    url = f"sqlite:///{tmp_path / 'chats.db'}"
    async with Database(url) as plain:
        await plain.create_tables()
        chats = [await a_chat(plain, words("s")) for _ in range(3)]
        live = asyncio.create_task(read_all(chats[0]))
        await until(lambda: is_live(chats[0], "s-live-ü", plain))
        async with Database(url, encryption=Keys(NEW)) as db:
            assert await rotate(db) > 20
            assert await rotate(db) == 0
            assert b"s-live" not in await journal_bytes(db)
        live.cancel()
        await asyncio.gather(live, return_exceptions=True)


async def journal_bytes(db: Database) -> bytes:
    payload = READY_MADE.chunk.__table__.c.payload
    async with db.engine.connect() as connection:
        found = await connection.execute(select(type_coerce(payload, Text())))
        return "".join(found.scalars()).encode()


async def test_rotation_takes_nothing_back_that_is_written_meanwhile(
    backend: Database, any_url: str
) -> None:
    chats = [
        await create_chat(backend, Script(*[[say(f"{n}")] for n in range(9)])) for _ in range(3)
    ]
    async with Database(any_url, encryption=Keys(NEW, OLD)) as db:
        copies = [
            await load_chat(db, Script(*[[say(f"{n}")] for n in range(9)]), chat.id)
            for chat in chats
        ]

        async def talk(chat: Chat) -> None:
            for n in range(9):
                await chat.ask(f"q{n}")

        async def turn() -> None:
            for _ in range(5):
                await rotate(db)

        await asyncio.gather(*map(talk, copies), turn())

        for chat in copies:
            texts = [message.text for message in await chat.messages(99)]
            assert texts == [text for n in range(9) for text in (f"q{n}", f"{n}")]


async def test_rotation_does_not_overwrite_a_concurrent_write(
    sealed: Database, any_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    chat = await create_chat(sealed, Script([say("yes")]))
    await chat.ask("Is it true?")
    (first, _) = await chat.messages()
    rotate_row = rotation._rotate_row

    async def rotate_late(connection: Any, table: Any, row: Any, keys: Any) -> bool:
        if row.get("id") == first.id:  # it has been read, and is not written yet
            changes = Changes(chat.id)
            changes.put(replace(first, text="Is it so?"))
            await sealed.store.write(changes)
        return await rotate_row(connection, table, row, keys)

    monkeypatch.setattr(rotation, "_rotate_row", rotate_late)
    async with Database(any_url, encryption=Keys(NEW, OLD)) as both:
        await rotate(both)
        stored = await both.store.messages(chat.id, limit=9, before=None)

    assert [message.text for message in stored] == ["Is it so?", "yes"]


async def test_a_value_that_was_tampered_with_is_not_believed(sealed: Database) -> None:
    chat = await create_chat(sealed, Script([say("yes")]))
    await chat.ask("Is it true?")
    (first, second) = await chat.messages()
    text = type_coerce(MessageRow.__table__.c.text, Text())
    async with sealed.engine.begin() as connection:
        stored = await connection.scalar(select(text).where(MessageRow.id == second.id))
        flipped = stored[:-9] + ("A" if stored[-9] != "A" else "B") + stored[-8:]
        table = MessageRow.__table__
        await connection.execute(
            update(table).where(table.c.id == first.id).values(text=type_coerce(flipped, Text()))
        )

    with pytest.raises(DatabaseFailed, match="changed or cut off"):
        await chat.messages()


async def test_your_own_queries_read_plain_text(sealed: Database) -> None:
    chat = await create_chat(sealed, Script([say(AWKWARD)]), title=PARSABLE)
    await chat.ask("Hi")

    async with sealed.engine.connect() as connection:
        found = await connection.execute(
            select(MessageRow.text).where(MessageRow.chat_id == chat.id).order_by(MessageRow.seq)
        )
        assert list(found.scalars()) == ["Hi", AWKWARD]


async def test_a_chat_moves_between_databases_with_and_without_keys(
    sealed: Database, db: Database
) -> None:
    chat = await a_chat(sealed, words("s"))
    lines = [line async for line in export_chat(sealed, chat.id)]

    await import_chat(db, lines)
    copy = await import_chat(sealed, export_chat(db, chat.id), new_ids=True)

    one, two = Script([say("a")]), Script([say("a")])
    await (await load_chat(sealed, one, copy.id)).ask("next")
    await (await load_chat(db, two, chat.id)).ask("next")
    assert dumped(one.requests[0])[:-1] == dumped(two.requests[0])[:-1]


class Base(DeclarativeBase):
    pass


class PlainChat(ChatMixin, Base):
    __tablename__ = "plain_chats"


class PlainRun(RunMixin, Base):
    __tablename__ = "plain_runs"


class PlainMessage(MessageMixin, Base):
    __tablename__ = "plain_messages"
    text: Mapped[str] = mapped_column("body")


class PlainChunk(ChunkMixin, Base):
    __tablename__ = "plain_chunks"


async def test_a_column_that_would_stay_readable_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"PlainMessage\.text has a type"):
        Database("sqlite://", models=Base, encryption=Keys(NEW))


NO_KEYS = {"empty": "", "word": "secret", "no_base64": "x" * 44, "accent": "é", "cut": OLD[:-4]}


@pytest.mark.parametrize("key", NO_KEYS.values(), ids=NO_KEYS)
def test_what_is_no_key_is_refused_without_repeating_it(key: str) -> None:
    with pytest.raises(ConfigurationError, match=r"Keys\.new\(\)") as raised:
        Keys(key)
    assert not key or key not in str(raised.value)


def test_keys_do_not_show_themselves() -> None:
    assert OLD not in repr(Keys(OLD, NEW))
    assert Keys(OLD) == Keys(OLD) != Keys(NEW)


async def test_an_engine_has_one_set_of_keys(tmp_path: Path) -> None:
    engine = create_async_engine(f"sqlite+aiosqlite:///{tmp_path / 'chats.db'}")
    Database(engine, encryption=Keys(OLD))
    Database(engine, encryption=Keys(OLD))

    with pytest.raises(ConfigurationError, match="other keys"):
        Database(engine, encryption=Keys(NEW))
    await engine.dispose()


async def test_there_is_nothing_to_rotate_without_keys(db: Database) -> None:
    with pytest.raises(ConfigurationError, match="encryption=Keys"):
        await rotate(db)
