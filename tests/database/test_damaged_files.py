"""A file whose bytes were changed where it is kept is told of, and never sent."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from pydantic_ai.messages import BinaryContent
from sqlalchemy import LargeBinary, bindparam, delete, select, type_coerce, update

from chatrecord import Attachment, Chat
from chatrecord.attachments import FolderStore
from chatrecord.attachments.embedded_files import digest
from chatrecord.errors import DatabaseFailed
from chatrecord.sqlalchemy import Database, Keys, create_chat, export_chat, load_chat, rotate
from chatrecord.sqlalchemy.tables import Attachment as AttachmentRow
from chatrecord.testing import Script, call, say

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
FILE = Attachment(data=PNG, name="chart.png")
TABLE = AttachmentRow.__table__
DAMAGES: list[Callable[[bytes], bytes]] = [
    lambda kept: kept[:-1],
    lambda kept: kept[:100] + b"\\" + kept[100:],
    lambda kept: b"",
]


@pytest.fixture(params=["plain", "encrypted"])
async def in_the_table(request: pytest.FixtureRequest, module_url: str) -> AsyncIterator[Database]:
    keys = Keys(Keys.new()) if request.param == "encrypted" else None
    async with Database(module_url, encryption=keys) as db:
        yield db


@pytest.mark.parametrize("damage", DAMAGES, ids=["cut off", "escaped", "empty"])
async def test_a_file_damaged_in_its_table_is_reported(
    in_the_table: Database, damage: Callable[[bytes], bytes]
) -> None:
    script = Script([say("Nice.")], [say("No.")])
    chat = await create_chat(in_the_table, script)
    await chat.ask("Look!", attachments=[FILE])
    await change(in_the_table, chat, damage)

    await check_told(in_the_table, chat, script)


@pytest.mark.parametrize("damage", DAMAGES, ids=["cut off", "escaped", "empty"])
async def test_a_file_damaged_in_a_store_is_reported(
    module_url: str, tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    async with Database(module_url, attachments=FolderStore(tmp_path)) as db:
        script = Script([say("Nice.")], [say("No.")])
        chat = await create_chat(db, script)
        await chat.ask("Look!", attachments=[FILE])
        path = tmp_path / str(chat.id) / digest(PNG)
        path.write_bytes(damage(path.read_bytes()))

        await check_told(db, chat, script)


async def test_the_chat_continues_once_the_damaged_file_is_deleted(backend: Database) -> None:
    script = Script([say("Nice.")], [say("Which chart?")])
    chat = await create_chat(backend, script)
    await chat.ask("Look!", attachments=[FILE])
    await change(backend, chat, DAMAGES[0])
    async with backend.engine.begin() as connection:
        await connection.execute(delete(TABLE).where(TABLE.c.chat_id == chat.id))

    assert (
        await (await load_chat(backend, script, chat.id)).ask("And now?")
    ).text == "Which chart?"
    assert "no longer kept" in str(script.requests[-1])


async def test_a_damaged_file_of_a_tool_result_is_reported(backend: Database) -> None:
    def draw() -> BinaryContent:
        return BinaryContent(data=PNG, media_type="image/png")

    script = Script([call("draw", "c1")], [say("Drawn.")])
    chat = await create_chat(backend, script, tools=[draw])
    await chat.ask("Draw!")
    await change(backend, chat, DAMAGES[0])

    with pytest.raises(DatabaseFailed, match=digest(PNG)):
        await chat.tool_calls()


async def test_a_damaged_file_is_not_reencrypted(own_url: str) -> None:
    """Under a new seal nobody would see any more who had spoilt it."""
    old, new = Keys.new(), Keys.new()
    async with Database(own_url, encryption=Keys(old)) as db:
        chat = await create_chat(db, Script([say("Nice.")]))
        await chat.ask("Look!", attachments=[FILE])
        await change(db, chat, DAMAGES[0])
    async with Database(own_url, encryption=Keys(new, old)) as db:
        with pytest.raises(DatabaseFailed, match=f"{digest(PNG)} of chat {chat.id} is damaged"):
            await rotate(db)


async def check_told(db: Database, chat: Chat, script: Script) -> None:
    """Whoever needs the file is told which one it is, and the model gets nothing."""
    damaged = pytest.raises(DatabaseFailed, match=f"{digest(PNG)} of chat {chat.id} is damaged")
    again = await load_chat(db, script, chat.id)
    with damaged:
        await again.ask("And now?")
    with damaged:
        await again.attachment(digest(PNG))
    with damaged:
        async for _ in export_chat(db, chat.id):
            pass
    assert len(script.requests) == 1


async def change(db: Database, chat: Chat, damage: Callable[[bytes], bytes]) -> None:
    """What somebody else does to the bytes in the table."""
    of_chat = TABLE.c.chat_id == chat.id
    raw = type_coerce(TABLE.c.data, LargeBinary())
    async with db.engine.begin() as connection:
        kept = (await connection.execute(select(raw).where(of_chat))).scalar_one()
        spoilt = bindparam("spoilt", damage(bytes(kept)), type_=LargeBinary())
        await connection.execute(update(TABLE).where(of_chat).values({TABLE.c.data: spoilt}))
