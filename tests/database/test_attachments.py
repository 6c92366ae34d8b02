"""Files in their table or in a store of one's own: in step with their chat, whatever happens."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator, Coroutine
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from pydantic import BaseModel
from pydantic_ai.messages import BinaryContent, FilePart, ModelResponse, TextPart
from sqlalchemy import LargeBinary, select, type_coerce, update
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.orm import DeclarativeBase
from test_erasing import DAY, LONG_AGO
from test_statements import counting

from chatrecord import Attachment, Chat, Limits
from chatrecord.attachments import FolderStore
from chatrecord.attachments.embedded_files import ChatFile, digest
from chatrecord.errors import (
    AttachmentNotFound,
    ChatExists,
    ChatNotFound,
    ConfigurationError,
    DatabaseFailed,
    ImportInvalid,
    KeyMissing,
    RunError,
)
from chatrecord.hooks import MaskPersonalData
from chatrecord.ids import new_id
from chatrecord.pydantic_ai.messages import body_of
from chatrecord.sqlalchemy import (
    AttachmentMixin,
    ChatMixin,
    ChunkMixin,
    Database,
    Keys,
    MessageMixin,
    RunMixin,
    create_chat,
    delete_chat,
    export_chat,
    import_chat,
    import_history,
    load_chat,
    purge,
    rotate,
)
from chatrecord.sqlalchemy.tables import READY_MADE
from chatrecord.sqlalchemy.tables import Attachment as AttachmentRow
from chatrecord.sqlalchemy.tables import Chat as ChatRow
from chatrecord.testing import Script, call, say
from chatrecord.testing.conformance.attachments import PDF, FilesAreKept, _files

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
FILE = Attachment(data=PNG, name="chart.png")
OLD, NEW = Keys.new(), Keys.new()


class TestInAFolder(FilesAreKept):
    """What holds for files in the database holds for those in a folder, encrypted at that."""

    @pytest.fixture
    async def backend(self, own_url: str, tmp_path: Path) -> AsyncIterator[Database]:
        own = FolderStore(tmp_path / "files")
        async with Database(own_url, attachments=own, encryption=Keys(NEW)) as db:
            yield db


class TestInTheMessages(FilesAreKept):
    """Without a table for them files are sent again all the same, as long as nobody asks for them."""

    test_a_file_can_be_had_back = None
    test_a_file_is_of_its_chat_alone = None
    test_a_file_sent_many_times_is_stored_once = None
    test_a_busy_chat_keeps_no_file_of_what_it_refused = None
    test_files_go_with_their_chat = None

    @pytest.fixture
    async def backend(self, tmp_path: Path) -> AsyncIterator[Database]:
        without = replace(READY_MADE, attachment=None)
        async with Database(f"sqlite:///{tmp_path / 'chats.db'}", models=without) as db:
            await db.create_tables()
            yield db

    async def test_the_chat_has_none_to_give(self, backend: Database) -> None:
        chat = await create_chat(backend, Script([say("Yes.")]))
        await chat.ask("See?", attachments=[FILE])

        (file,) = (await chat.messages())[0].attachments
        assert (file.hash, file.size, file.name) == (digest(PNG), len(PNG), "chart.png")
        with pytest.raises(ConfigurationError, match="AttachmentMixin"):
            await chat.attachment(digest(PNG))


class Shelf:
    """A store in memory, which can be told to fail."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}
        self.failing: dict[str, Exception] = {}
        self.puts = 0
        self.before_put: Any = None
        self.before_delete: Any = None

    async def put(self, key: str, data: bytes) -> None:
        if self.before_put is not None:
            await self.before_put()
        self._fail("put")
        self.puts += 1
        self.kept[key] = data

    async def get(self, key: str) -> bytes | None:
        self._fail("get")
        return self.kept.get(key)

    async def delete(self, key: str) -> None:
        if self.before_delete is not None:
            await self.before_delete()
        self._fail("delete")
        self.kept.pop(key, None)

    def _fail(self, what: str) -> None:
        if what in self.failing:
            raise self.failing[what]


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
async def shelved(own_url: str, shelf: Shelf) -> AsyncIterator[Database]:
    """Each database in turn, with its files on the shelf."""
    async with Database(own_url, attachments=shelf) as db:
        yield db


async def asked(db: Database, **options: Any) -> Chat:
    """A chat that was asked about a file."""
    chat = await create_chat(db, Script([say("A chart.")]), **options)
    await chat.ask("What is this?", attachments=[FILE])
    return chat


async def sent_next(db: Database, chat_id: UUID) -> list[bytes]:
    """The files that the next question sends."""
    script = Script([say("Blue.")])
    await (await load_chat(db, script, chat_id)).ask("Which colour?")
    return [file.data for file in _files(script.requests[0])]


async def stored(db: Database) -> list[Any]:
    """The rows of all files as they are."""
    async with db.engine.connect() as connection:
        found = await connection.execute(select(AttachmentRow.__table__))
        return list(found.mappings())


# In step with the chat


async def test_a_store_of_ones_own_has_what_its_chats_have(shelved: Database, shelf: Shelf) -> None:
    chat = await asked(shelved)
    await chat.messages()

    assert shelf.kept == {f"{chat.id}/{digest(PNG)}": PNG}
    assert shelf.puts == 1, "though the prompt was written twice"
    (row,) = await stored(shelved)
    assert (row["data"], row["size"], row["name"]) == (None, len(PNG), "chart.png")
    assert row["stored_at"] is not None


async def test_a_copy_of_a_chat_has_its_files_in_the_store(shelved: Database, shelf: Shelf) -> None:
    chat = await asked(shelved)

    copy = await chat.fork()

    await delete_chat(shelved, chat.id)
    assert shelf.kept == {f"{copy.id}/{digest(PNG)}": PNG}
    assert await sent_next(shelved, copy.id) == [PNG]


async def test_a_copy_that_cannot_be_written_leaves_nothing_in_the_store(
    shelved: Database, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    chat = await asked(shelved)
    monkeypatch.setattr(
        shelved.store, "_insert_fork", lambda *_: (_ for _ in ()).throw(ZeroDivisionError)
    )

    with pytest.raises(ZeroDivisionError):
        await chat.fork()

    assert list(shelf.kept) == [f"{chat.id}/{digest(PNG)}"]


async def test_what_is_deleted_leaves_nothing_in_the_store(shelved: Database, shelf: Shelf) -> None:
    chat, other = await asked(shelved), await asked(shelved)

    await delete_chat(shelved, chat.id)

    assert list(shelf.kept) == [f"{other.id}/{digest(PNG)}"]
    assert await sent_next(shelved, other.id) == [PNG]


async def test_what_is_purged_leaves_nothing_in_the_store(shelved: Database, shelf: Shelf) -> None:
    chat, other = await asked(shelved), await asked(shelved)
    async with shelved.engine.begin() as connection:
        ago = update(ChatRow).where(ChatRow.id == chat.id).values(updated_at=LONG_AGO)
        await connection.execute(ago)

    assert await purge(shelved, older_than=DAY) == 1

    assert list(shelf.kept) == [f"{other.id}/{digest(PNG)}"]


async def test_a_process_that_dies_over_a_file_leaves_what_deletion_finds(
    shelved: Database, shelf: Shelf
) -> None:
    """Its row is there before its bytes, so that no bytes are without a row."""
    chat = await create_chat(shelved, Script([say("A chart.")]))
    rows = []

    async def look() -> None:
        rows.extend(await stored(shelved))
        shelf.kept[f"{chat.id}/{digest(PNG)}"] = PNG[:3]
        shelf.before_put = None
        raise KeyError  # as much as it takes for nothing more to be done

    shelf.before_put = look
    with pytest.raises(DatabaseFailed):
        await chat.ask("What?", attachments=[FILE])
    assert [row["stored_at"] for row in rows] == [None]

    assert (await chat.ask("What?", attachments=[FILE])).text == "A chart."
    assert shelf.kept == {f"{chat.id}/{digest(PNG)}": PNG}, "put once more"
    await delete_chat(shelved, chat.id)
    assert shelf.kept == {}


async def test_a_chat_that_is_deleted_while_its_file_is_put_leaves_nothing(
    shelved: Database, shelf: Shelf
) -> None:
    chat = await create_chat(shelved, Script())

    async def delete() -> None:
        shelf.before_put = None
        await delete_chat(shelved, chat.id)

    shelf.before_put = delete
    with pytest.raises(Exception, match="was deleted"):
        await chat.ask("What?", attachments=[FILE])

    assert shelf.kept == {}
    assert await stored(shelved) == []


async def test_a_chat_that_was_deleted_gets_no_file(tmp_path: Path, shelf: Shelf) -> None:
    """Nor on an engine of one's own that does not check what rows refer to."""
    engine = create_async_engine(f"sqlite+aiosqlite:///{tmp_path / 'own.db'}")
    async with Database(engine, attachments=shelf) as db:
        await db.create_tables()
        chat = await create_chat(db, Script())
        await delete_chat(db, chat.id)
        with pytest.raises(ChatNotFound):
            await chat.ask("What?", attachments=[FILE])

        assert shelf.kept == {}
        assert await stored(db) == []
    await engine.dispose()


async def test_without_the_store_nothing_is_deleted_or_exported_or_called_rotated(
    own_url: str, shelf: Shelf
) -> None:
    async with Database(own_url, attachments=shelf, encryption=Keys(OLD)) as db:
        chat = await asked(db)
    async with Database(own_url, encryption=Keys(NEW, OLD)) as without:
        with pytest.raises(ConfigurationError, match="attachments="):
            await delete_chat(without, chat.id)
        with pytest.raises(ConfigurationError, match="attachments="):
            await rotate(without)
        with pytest.raises(ConfigurationError, match="attachments="):
            _ = [line async for line in export_chat(without, chat.id)]
        async with without.engine.begin() as connection:
            await connection.execute(update(ChatRow).values(updated_at=LONG_AGO))
        with pytest.raises(ConfigurationError, match="attachments="):
            await purge(without, older_than=DAY)
    async with Database(own_url, attachments=shelf, encryption=Keys(NEW, OLD)) as db:
        assert await sent_next(db, chat.id) == [PNG]
        await delete_chat(db, chat.id)
    assert shelf.kept == {}


@pytest.mark.parametrize("error", [ConnectionError("away"), RuntimeError("sk-proj-" + "a" * 40)])
async def test_a_store_that_fails_ends_the_question_and_nothing_is_asked(
    shelved: Database, shelf: Shelf, error: Exception
) -> None:
    chat = await create_chat(shelved, Script([say("A chart.")]))
    shelf.failing["put"] = error

    with pytest.raises(DatabaseFailed, match="could not put a file") as failed:
        await chat.ask("What?", attachments=[FILE])

    assert failed.value.__cause__ is error
    assert "aaaa" not in str(failed.value)
    assert await chat.messages() == []
    shelf.failing.clear()
    assert (await chat.ask("What?", attachments=[FILE])).text == "A chart."


async def test_a_store_that_cannot_be_read_ends_the_run(shelved: Database, shelf: Shelf) -> None:
    chat = await asked(shelved)
    shelf.failing["get"] = ConnectionError("away")
    again = await load_chat(shelved, Script([say("Blue.")]), chat.id)

    with pytest.raises(DatabaseFailed, match="could not get a file"):
        await again.ask("Which colour?")

    assert await again.active_run() is None
    shelf.failing.clear()
    assert await sent_next(shelved, chat.id) == [PNG]


async def test_a_slow_attachment_store_delays_no_other_chat(own_url: str, shelf: Shelf) -> None:
    """Chats are imported and deleted with no transaction open while it takes its time."""
    reached, done = asyncio.Event(), asyncio.Event()

    async def slow() -> None:
        reached.set()
        await done.wait()

    async with Database(own_url, attachments=shelf, patience=timedelta(seconds=1)) as db:
        chat = await asked(db)
        lines = [line async for line in export_chat(db, chat.id)]
        shelf.before_put = shelf.before_delete = slow

        async def beside_others(work: Coroutine[Any, Any, Any]) -> Any:
            reached.clear()
            done.clear()
            working = asyncio.create_task(work)
            await reached.wait()
            other = await create_chat(db, Script([say("Here.")]))
            try:
                assert (await other.ask("Hello?")).text == "Here."
            finally:
                done.set()
                await asyncio.wait([working])
            return await working

        copied = await beside_others(import_chat(db, lines, new_ids=True))
        await beside_others(delete_chat(db, chat.id))

        assert list(shelf.kept) == [f"{copied.id}/{digest(PNG)}"]
        assert await sent_next(db, copied.id) == [PNG]


async def test_a_file_stored_while_its_chat_is_deleted_is_deleted_too(
    shelved: Database, shelf: Shelf
) -> None:
    chat = await asked(shelved)
    script = Script([say("Another chart.")])
    elsewhere = await load_chat(shelved, script, chat.id)

    async def add_another() -> None:
        shelf.before_delete = None
        await elsewhere.ask("And this?", attachments=[Attachment(data=PDF, name="a.pdf")])

    shelf.before_delete = add_another
    await delete_chat(shelved, chat.id)

    assert script.requests, "the second file has come in time"
    assert shelf.kept == {}
    assert await stored(shelved) == []


async def test_a_store_that_does_not_delete_keeps_the_chat(shelved: Database, shelf: Shelf) -> None:
    chat = await asked(shelved)
    shelf.failing["delete"] = ConnectionError("away")
    with pytest.raises(DatabaseFailed, match="could not delete a file"):
        await delete_chat(shelved, chat.id)
    shelf.failing.clear()
    assert len(await chat.messages()) == 2

    await delete_chat(shelved, chat.id)
    assert shelf.kept == {}


async def test_a_file_deleted_from_outside_is_reported(shelved: Database, shelf: Shelf) -> None:
    chat = await asked(shelved)
    shelf.kept.clear()
    script = Script([say("I see none.")])

    await (await load_chat(shelved, script, chat.id)).ask("Which colour?")

    (_, told) = script.requests[0][0].parts[0].content
    assert told == "[The file chart.png (image/png) is no longer kept]"
    with pytest.raises(AttachmentNotFound, match="it was deleted"):
        await chat.attachment(digest(PNG))
    lines = [line async for line in export_chat(shelved, chat.id)]
    assert (await import_chat(shelved, lines, new_ids=True)).id != chat.id


async def test_a_file_of_a_tool_that_cannot_be_stored_costs_no_text(
    shelved: Database, shelf: Shelf
) -> None:
    def draw() -> BinaryContent:
        shelf.failing["put"] = RuntimeError("full")
        return BinaryContent(PNG, media_type="image/png")

    script = Script([say("I draw."), call("draw")], [say("Drawn.")])
    chat = await create_chat(shelved, script, tools=[draw])
    with pytest.raises((RunError, DatabaseFailed)):
        await chat.ask("Draw")

    messages = await chat.messages()
    assert [message.text for message in messages[:2]] == ["Draw", "I draw."]
    assert await chat.active_run() is None
    assert all(message.status != "streaming" for message in messages)


# Encrypted


@pytest.mark.parametrize("outside", [False, True], ids=["table", "store"])
async def test_files_are_encrypted_and_keys_change(
    own_url: str, shelf: Shelf, outside: bool
) -> None:
    own = shelf if outside else None

    async def raw() -> bytes:
        async with plain.engine.connect() as connection:
            data = type_coerce(AttachmentRow.__table__.c.data, LargeBinary())
            (kept,) = (await connection.execute(select(data))).scalars()
        return next(iter(shelf.kept.values())) if outside else bytes(kept)

    async with Database(own_url, attachments=own) as plain:
        chat = await asked(plain)
        assert await raw() == PNG
        for keys in (Keys(OLD), Keys(NEW, OLD), Keys(NEW)):
            before = await raw()
            async with Database(own_url, attachments=own, encryption=keys) as db:
                assert await sent_next(db, chat.id) == [PNG]
                while await rotate(db):
                    pass
                assert await sent_next(db, chat.id) == [PNG]
            assert PNG[:20] not in await raw()
            assert (await raw() == before) == (keys == Keys(NEW)), "written where it had to be"
        if not outside:
            with pytest.raises(KeyMissing):
                await plain.store.attachment(chat.id, digest(PNG))
    async with Database(own_url, attachments=own, encryption=Keys(OLD)) as wrong:
        with pytest.raises(KeyMissing):
            await wrong.store.attachment(chat.id, digest(PNG))


async def test_a_chat_that_is_deleted_while_its_file_is_rotated_leaves_nothing(
    own_url: str, shelf: Shelf
) -> None:
    async with Database(own_url, attachments=shelf) as plain:
        chat = await asked(plain)
    async with Database(own_url, attachments=shelf, encryption=Keys(NEW)) as db:

        async def delete() -> None:
            shelf.before_put = None
            await delete_chat(db, chat.id)

        shelf.before_put = delete
        await rotate(db)

    assert shelf.kept == {}


async def test_a_file_that_begins_like_a_sealed_one_is_itself(own_url: str) -> None:
    odd = Keys(OLD).seal_bytes(b"what somebody else has sealed")
    for keys in (None, Keys(NEW)):
        async with Database(own_url, encryption=keys) as db:
            chat = await create_chat(db, Script([say("Odd.")]))
            file = Attachment(data=odd, media_type="application/octet-stream")
            await chat.ask("What is this?", attachments=[file])
            assert (await chat.attachment(digest(odd))).data == odd


async def test_a_file_that_was_changed_is_not_believed(own_url: str) -> None:
    async with Database(own_url, encryption=Keys(NEW)) as db:
        chat = await asked(db)
        (row,) = await stored(db)
        broken = bytes(row["data"][:-1]) + bytes([row["data"][-1] ^ 1])
        async with db.engine.begin() as connection:
            await connection.execute(update(AttachmentRow).values(data=broken))
        with pytest.raises(DatabaseFailed, match="changed or cut off"):
            await chat.attachment(digest(PNG))


# Moved


@pytest.mark.parametrize("outside", [False, True], ids=["table", "store"])
async def test_files_move_with_their_chat(
    own_url: str, tmp_path: Path, shelf: Shelf, outside: bool
) -> None:
    """From any database to SQLite without a table for files, and back beside the first."""
    own = shelf if outside else None
    without = replace(READY_MADE, attachment=None)
    async with (
        Database(own_url, attachments=own, encryption=Keys(NEW)) as db,
        Database(f"sqlite:///{tmp_path / 'other.db'}", models=without) as other,
    ):
        await other.create_tables()
        chat = await asked(db)
        lines = [line async for line in export_chat(db, chat.id)]
        assert sum('"kind":"attachment"' in line for line in lines) == 1

        await import_chat(other, lines)
        assert await sent_next(other, chat.id) == [PNG]
        inside = [line async for line in export_chat(other, chat.id)]
        copy = await import_chat(db, inside, new_ids=True)

        assert await sent_next(db, copy.id) == [PNG]
        kept = [
            row async for row in db.store.rows_of_chat(copy.id, {}) if isinstance(row, ChatFile)
        ]
        assert kept == [ChatFile(digest(PNG), "image/png", "chart.png", len(PNG), PNG)]
        assert len(shelf.kept) == 2 * outside


async def test_an_import_that_fails_leaves_nothing_in_the_store(
    shelved: Database, shelf: Shelf
) -> None:
    chat = await asked(shelved)
    lines = [line async for line in export_chat(shelved, chat.id)]

    with pytest.raises(ChatExists):
        await import_chat(shelved, lines)
    assert await sent_next(shelved, chat.id) == [PNG]

    shelf.failing["put"] = RuntimeError("full")
    with pytest.raises(DatabaseFailed):
        await import_chat(shelved, lines, new_ids=True)
    assert list(shelf.kept) == [f"{chat.id}/{digest(PNG)}"]
    assert len(await stored(shelved)) == 1


async def test_an_import_that_fails_late_leaves_nothing_in_the_store(
    shelved: Database, shelf: Shelf
) -> None:
    """Such as one whose chat is new here, and whose messages are not."""
    chat = await asked(shelved)
    lines = [line async for line in export_chat(shelved, chat.id)]

    with pytest.raises(ChatExists):
        await import_chat(shelved, [line.replace(str(chat.id), str(new_id())) for line in lines])

    assert list(shelf.kept) == [f"{chat.id}/{digest(PNG)}"]
    assert len(await stored(shelved)) == 1


@pytest.mark.parametrize("outside", [False, True], ids=["table", "store"])
async def test_a_missing_file_is_stored_when_it_is_sent_again(
    own_url: str, shelf: Shelf, outside: bool
) -> None:
    async with Database(own_url, attachments=shelf) as db:
        chat = await asked(db)
        shelf.kept.clear()
        lines = [line async for line in export_chat(db, chat.id)]
        await delete_chat(db, chat.id)
    async with Database(own_url, attachments=shelf if outside else None) as db:
        gone = await import_chat(db, lines)
        script = Script([say("Back.")])
        again = await load_chat(db, script, gone.id)
        await again.ask("Here it is", attachments=[FILE])

        assert (await again.attachment(digest(PNG))).data == PNG
        assert await sent_next(db, gone.id) == [PNG, PNG]
        await delete_chat(db, gone.id)
        assert await stored(db) == []
    assert shelf.kept == {}


async def test_a_file_in_an_export_is_checked(db: Database) -> None:
    chat = await asked(db)
    lines = [line async for line in export_chat(db, chat.id)]
    place = next(n for n, line in enumerate(lines) if '"kind":"attachment"' in line)
    for wrong, told in (
        (lines[place].replace('"size":', '"size":1'), "hash or size"),
        (lines[place].replace('"data":"', '"data":"AAAA'), "hash or size"),
        (lines[place].replace('"data":"', '"data":"!'), "base64"),
        (lines[place].replace('"hash":"', '"hash":"../'), "no SHA-256"),
    ):
        with pytest.raises(ImportInvalid, match=told) as refused:
            await import_chat(db, [*lines[:place], wrong, *lines[place + 1 :]], new_ids=True)
        assert refused.value.line == place + 1


async def test_files_of_imported_histories_stand_apart(db: Database) -> None:
    answer = ModelResponse([FilePart(BinaryContent(PNG, media_type="image/png")), TextPart("So.")])
    url = "data:application/pdf;base64," + b64encode(PDF).decode()
    asks = {"role": "user", "content": [{"type": "text", "text": "See"},
                                        {"type": "image_url", "image_url": {"url": url}}]}  # fmt: skip
    ours = await import_history(db, [body_of(answer).content], format="pydantic-ai")
    theirs = await import_history(
        db, [asks, {"role": "assistant", "content": "I do"}], format="openai"
    )

    assert await sent_next(db, theirs.id) == [PDF]
    assert (await db.store.attachment(ours.id, digest(PNG))) is not None
    assert len(await stored(db)) == 2
    (stands,) = await db.store.messages(ours.id, limit=9, before=None)
    assert [file.hash for file in stands.attachments] == [digest(PNG)]


# Measured


async def test_a_window_reads_its_files_with_one_query(db: Database) -> None:
    chat = await create_chat(db, Script(*[[say("Yes.")] for _ in range(5)]))
    for n in range(5):
        await chat.ask("See?", attachments=[Attachment(data=PNG + bytes([n]))])
    again = await load_chat(db, Script([say("Five.")]), chat.id)

    with counting(db) as counted:
        await again.ask("How many?")

    about = [sql for sql, _ in counted.statements if "llm_attachments" in sql]
    assert len(about) == 1


async def test_a_question_without_files_asks_for_none(db: Database) -> None:
    chat = await create_chat(db, Script([say("Yes.")], [say("Yes.")]))
    with counting(db) as counted:
        await chat.ask("See?")
        await chat.ask("See?")
        await chat.messages()
    assert not [sql for sql, _ in counted.statements if "llm_attachments" in sql]


async def test_a_file_that_no_statement_holds_says_what_to_do(mariadb_url: str) -> None:
    large = Attachment(data=b"\n" * 9_000_000, name="blank.txt")
    async with Database(mariadb_url) as db:
        chat = await create_chat(db, Script([say("Blank.")]))
        with pytest.raises(DatabaseFailed, match=r"blank\.txt .* max_allowed_packet"):
            await chat.ask("What?", attachments=[large])
        assert await chat.messages() == []
        assert (await chat.ask("And without?")).text == "Blank."


async def test_ten_megabytes_are_kept(own_url: str) -> None:
    noise = bytes(range(256)) * 39_062
    async with Database(own_url) as db:
        chat = await create_chat(db, Script([say("Noise.")]))
        await chat.ask("What?", attachments=[Attachment(data=noise, media_type="audio/wav")])
        assert await sent_next(db, chat.id) == [noise]


# Set up


class OwnBase(DeclarativeBase):
    pass


class OwnChat(ChatMixin, OwnBase):
    __tablename__ = "own_chats"


class OwnRun(RunMixin, OwnBase):
    __tablename__ = "own_runs"


class OwnMessage(MessageMixin, OwnBase):
    __tablename__ = "own_messages"


class OwnChunk(ChunkMixin, OwnBase):
    __tablename__ = "own_chunks"


class OwnFile(AttachmentMixin, OwnBase):
    __tablename__ = "own_files"


async def test_a_class_of_ones_own_keeps_files(tmp_path: Path) -> None:
    async with Database(f"sqlite:///{tmp_path / 'own.db'}", models=OwnBase) as db:
        await db.create_tables()
        chat = await create_chat(db, Script([say("A chart.")]))
        await chat.ask("What?", attachments=[FILE])
        assert (await chat.attachment(digest(PNG))).name == "chart.png"


def test_a_store_needs_a_table_and_its_methods(shelf: Shelf) -> None:
    without = replace(READY_MADE, attachment=None)
    with pytest.raises(ConfigurationError, match="AttachmentMixin"):
        Database("sqlite://", models=without, attachments=shelf)
    with pytest.raises(ConfigurationError, match=r"has no put\(\)"):
        Database("sqlite://", attachments="/var/files")  # type: ignore[arg-type]


async def test_text_and_names_of_files_are_masked(db: Database) -> None:
    note = Attachment(data=b"Write to ada@example.com", name="note.txt")
    portrait = Attachment(data=PNG, name="ada@example.com.png")
    script = Script([say("Yes.")], [say("Yes.")])
    chat = await create_chat(db, script, hooks=[MaskPersonalData(rows="mask")])
    await chat.ask("Read it", attachments=[note, portrait])
    await chat.ask("Again")

    text, picture = (await chat.messages())[0].attachments
    assert b"ada@" not in (await chat.attachment(str(text.hash))).data
    assert (await chat.attachment(str(picture.hash))).data == PNG
    assert text.name == "note.txt"
    assert "ada@" not in str([text, picture, await stored(db)])
    for request in script.requests:
        sent = _files(request)
        assert [file.identifier.partition("_")[0] for file in sent] == ["note.txt", "[EMAIL"]
        assert all("ada@" not in repr(file) for file in sent)


class Found(BaseModel):
    note: BinaryContent


@pytest.mark.parametrize("inside", [False, True])
@pytest.mark.parametrize("rows", ["keep", "mask"])
async def test_the_text_of_a_file_of_a_tool_is_masked(
    db: Database, rows: Any, inside: bool
) -> None:
    def read() -> object:
        note = BinaryContent(b"To ada@example.com", media_type="text/plain")
        return Found(note=note) if inside else note

    script = Script([call("read")], [say("Yes.")], [say("Yes.")])
    chat = await create_chat(db, script, tools=[read], hooks=[MaskPersonalData(rows=rows)])
    await chat.ask("Read it")
    await chat.ask("Again")

    for request in script.requests[1:]:
        assert b"ada@" not in b"".join(file.data for file in _files(request))
        assert "ada@" not in str(request)
        assert "YWRhQ" not in str(request), "nor as base64"
    kept = [await chat.attachment(row["hash"]) for row in await stored(db)]
    assert [b"ada@" in (file.data or b"") for file in kept] == [rows == "keep"]


async def test_two_questions_with_the_same_file_at_once_keep_it_once(
    shelved: Database, shelf: Shelf
) -> None:
    chat = await create_chat(
        shelved, Script([say("One.")], [say("Two.")]), on_busy="wait", limits=Limits()
    )
    await asyncio.gather(*(chat.ask("See?", attachments=[FILE]) for _ in range(2)))

    assert len(shelf.kept) == len(await stored(shelved)) == 1
