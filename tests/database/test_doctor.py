"""The doctor finds each row that breaks a rule, nothing else, and repairs what can be repaired."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from damages import CHATS, DAMAGES, MESSAGES, Damage, Rows
from pydantic_ai import Tool
from sqlalchemy import Text, bindparam, select, text, type_coerce, update

from chatrecord import Attachment, Chat, Compact
from chatrecord.attachments import FolderStore
from chatrecord.errors import KeyMissing
from chatrecord.sqlalchemy import Database, Keys, create_chat, delete_chat, load_chat
from chatrecord.sqlalchemy.doctor import contents, doctor
from chatrecord.sqlalchemy.doctor.findings import Finding
from chatrecord.testing import Script, call, hang, say
from chatrecord.testing.look import has_journal, until

LONG = "word " * 60


def add(a: int, b: int) -> int:
    return a + b


@dataclass
class Patient:
    """A database, and a healthy chat in it with a row of each kind."""

    db: Database
    chat: Chat
    rows: Rows

    async def findings(self, *, repair: bool = False) -> list[Finding]:
        found = await self.db.doctor(repair=repair)
        return [finding for finding in found if finding.chat_id == self.chat.id]

    async def suffer(self, damage: Damage) -> None:
        async with self.db.engine.begin() as connection:
            for statement in damage.statements(self.rows):
                await connection.execute(statement)


@pytest.fixture
async def patient(module_url: str) -> AsyncIterator[Patient]:
    async with Database(module_url) as db:
        chat = await healthy_chat(db)
        yield Patient(db, chat, await rows_of(db, chat))
        await delete_chat(db, chat.id)


async def healthy_chat(db: Database) -> Chat:
    script = Script(
        [say(LONG)], [say("A file.")], [say("An answer.")], [say("Another.")],
        [say("I add. "), call("add", a=1, b=2)], [say("It is 3.")],
    )  # fmt: skip
    compact = Compact(above=80, keep=1, llm=Script([say("Gist")], [say("Gist")], [say("Gist")]))
    chat = await create_chat(db, script, tools=[add], compact=compact)
    await chat.ask(LONG)
    await chat.ask("See", attachments=[Attachment(data=b"aaaa", media_type="text/plain")])
    await chat.ask("And?")
    await chat.regenerate()
    await chat.ask("1 + 2?")
    return chat


async def rows_of(db: Database, chat: Chat) -> Rows:
    messages = await chat.messages(100)
    prompt, asking, results, answer = messages[-4:]
    assert (prompt.role, results.role, answer.text) == ("user", "tool", "It is 3.")
    assert answer.run_id is not None
    (tool_call,) = await chat.tool_calls()
    summary = (await chat.summaries())[0]
    (replaced,) = [message for message in messages if message.status == "superseded"]
    file = db.models.attachment.__table__  # type: ignore[union-attr]
    async with db.engine.connect() as connection:
        found = await connection.execute(select(file.c.id).where(file.c.chat_id == chat.id))
    return Rows(
        chat=chat.id, last=answer.run_id, prompt=prompt.id, asking=asking.id, results=results.id,
        answer=answer.id, call=tool_call.id, summary=summary.id, replaced=replaced.id,
        file=found.scalar_one(),
    )  # fmt: skip


async def everything(db: Database) -> list[Any]:
    async with db.engine.connect() as connection:
        return [
            sorted(tuple(map(repr, row)) for row in await connection.execute(select(table)))
            for table in db.models.tables
        ]


async def test_a_healthy_chat_is_found_healthy(patient: Patient) -> None:
    assert await patient.db.doctor() == []


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.name)
async def test_each_broken_row_is_found_and_repaired_if_it_can_be(
    patient: Patient, damage: Damage
) -> None:
    await patient.suffer(damage)
    before = await everything(patient.db)

    found = await patient.findings()

    assert any(finding.invariant.startswith(damage.says) for finding in found), found
    assert await everything(patient.db) == before, "a look writes nothing"

    repaired = await patient.findings(repair=True)

    broken = [finding for finding in repaired if finding.invariant.startswith(damage.says)]
    assert {finding.repaired for finding in broken} == {damage.repaired}
    left = await patient.findings()
    assert sorted(map(repr, left)) == sorted(repr(it) for it in repaired if not it.repaired)
    if damage.repaired:
        assert left == []
        again = await load_chat(patient.db, Script([say("On we go.")]), patient.chat.id)
        assert (await again.ask("And now?")).text == "On we go."
        assert await patient.findings() == []


async def test_the_journal_of_a_dead_stream_becomes_its_text(
    patient: Patient,
) -> None:
    (damage,) = [it for it in DAMAGES if it.name == "an answer that streams for ever"]
    await patient.suffer(damage)

    await patient.findings(repair=True)

    answer = (await patient.chat.messages(1))[0]
    assert (answer.status, answer.text) == ("interrupted", "It is")


async def test_what_is_live_is_no_finding(module_url: str) -> None:
    def pay(amount: int) -> int:
        return amount

    script = Script([call("pay", amount=5)])
    async with Database(module_url) as db, Database(module_url) as elsewhere:
        parked = await create_chat(db, script, tools=[Tool(pay, requires_approval=True)])
        assert (await parked.ask("Pay 5")).awaiting_approval
        going = asyncio.Event()

        async def slow() -> str:
            going.set()
            await asyncio.Event().wait()
            return "never"

        answering = Script([say("I begin"), call("slow")])
        at_work = await create_chat(db, answering, tools=[slow])
        speaking = await create_chat(db, Script([say("I begin"), hang()]))
        asking = [asyncio.ensure_future(chat.ask("Go")) for chat in (at_work, speaking)]
        await going.wait()
        await until(lambda: has_journal(db, speaking))
        waiting_for_it = await load_chat(db, Script(), speaking.id, on_busy="wait")
        waiting = asyncio.ensure_future(waiting_for_it.ask("And?"))
        await until(lambda: _is_queued(elsewhere, speaking))

        assert await elsewhere.doctor() == []
        assert await elsewhere.doctor(repair=True) == []

        waiting.cancel()
        for chat in (at_work, speaking, parked):
            await chat.stop()
        await asyncio.gather(waiting, *asking, return_exceptions=True)
        assert await elsewhere.doctor() == []
        for chat in (at_work, speaking, parked):
            await delete_chat(db, chat.id)


async def _is_queued(db: Database, chat: Chat) -> bool:
    run = db.models.run.__table__
    waits = select(run.c.id).where(run.c.chat_id == chat.id, run.c.status == "waiting")
    async with db.engine.connect() as connection:
        return (await connection.execute(waits)).first() is not None


async def test_pages_find_what_one_look_finds(
    patient: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("an unknown status", "a call without a result", "a file of another size"):
        (damage,) = [it for it in DAMAGES if it.name == name]
        await patient.suffer(damage)
    others = [await healthy_chat(patient.db) for _ in range(2)]
    at_once = await patient.db.doctor()
    monkeypatch.setattr(doctor, "BATCH", 1)
    monkeypatch.setattr(contents, "BATCH", 1)

    assert await patient.db.doctor() == at_once
    for chat in others:
        await delete_chat(patient.db, chat.id)


async def test_two_messages_of_one_number_are_found(own_url: str) -> None:
    async with Database(own_url) as db:
        chat = await create_chat(db, Script([say("one")], [say("two")]))
        await chat.ask("1")
        await chat.ask("2")
        index = next(it for it in MESSAGES.indexes if it.unique)
        async with db.engine.begin() as connection:
            if db.engine.dialect.name in ("mysql", "mariadb"):
                # The foreign key of the chat wants an index of its own first.
                await connection.execute(text("CREATE INDEX other ON llm_messages (chat_id)"))
            await connection.run_sync(index.drop)
            of_chat = MESSAGES.c.chat_id == chat.id
            await connection.execute(
                update(MESSAGES).where(of_chat, MESSAGES.c.seq == 4).values(seq=2)
            )
        found = await db.doctor(repair=True)
        says = "no two messages of a chat have one number"
        assert [(it.invariant, it.repaired) for it in found] == [(says, False)] * 2


_WITHOUT_KEYS = {
    "sqlite": "PRAGMA foreign_keys=OFF",
    "postgresql": "SET session_replication_role = replica",
    "mysql": "SET foreign_key_checks=0",
    "mariadb": "SET foreign_key_checks=0",
}


async def test_rows_without_their_chat_are_found(own_url: str) -> None:
    async with Database(own_url) as db:
        chat = await create_chat(
            db, Script([say("I "), call("add", a=1, b=2)], [say("3")]), tools=[add]
        )
        await chat.ask("1", attachments=[Attachment(data=b"a", media_type="text/plain")])
        async with db.engine.connect() as connection:
            driver = await connection.execution_options(isolation_level="AUTOCOMMIT")
            await driver.execute(text(_WITHOUT_KEYS[db.engine.dialect.name]))
            await driver.execute(CHATS.delete())
            await driver.invalidate()

        found = await db.doctor(repair=True)

        tables = {it.table for it in found if it.invariant.startswith(("a row", "a file belongs"))}
        assert tables == {"llm_runs", "llm_messages", "llm_tool_calls", "llm_requests",
                          "llm_attachments"}  # fmt: skip
        assert not any(finding.repaired for finding in found)


async def test_a_damaged_value_is_found_among_whole_ones(db: Database) -> None:
    chat = await create_chat(db, Script([say("one")], [say("two")]))
    await chat.ask("1")
    await chat.ask("2")
    cut = type_coerce(bindparam("value", '{"kind": "resp', type_=Text()), Text())
    these = (MESSAGES.c.chat_id == chat.id) & (MESSAGES.c.seq == 2)
    async with db.engine.begin() as connection:
        await connection.execute(update(MESSAGES).where(these).values({MESSAGES.c.content: cut}))

    (found,) = await db.doctor()

    assert (found.invariant, found.table) == ("what is stored can be read", "llm_messages")


async def test_files_in_a_store_of_ones_own_are_looked_at(own_url: str, tmp_path: Any) -> None:
    async with Database(own_url, attachments=FolderStore(tmp_path / "files")) as db:
        chat = await create_chat(db, Script([say("one")]))
        await chat.ask("1", attachments=[Attachment(data=b"abc", media_type="text/plain")])
        assert await db.doctor() == []
        (file,) = [path for path in (tmp_path / "files").rglob("*") if path.is_file()]
        file.write_bytes(b"abd")
        changed = await db.doctor()
        file.unlink()
        gone = await db.doctor()

    assert [it.invariant for it in changed] == [
        "a file has the size and the hash that its row says"
    ]
    assert [it.what for it in gone] == ["its bytes are gone"]


async def test_encrypted_chats_are_looked_at_with_their_keys(own_url: str) -> None:
    async with Database(own_url, encryption=Keys(Keys.new())) as db:
        await healthy_chat(db)
        assert await db.doctor() == []
    async with Database(own_url) as db:
        with pytest.raises(KeyMissing):
            await db.doctor()


async def test_a_smaller_schema_is_looked_at(own_url: str) -> None:
    async with Database(own_url, keep_tool_calls=False, keep_requests=False) as db:
        chat = await create_chat(
            db, Script([say("I "), call("add", a=1, b=2)], [say("3")]), tools=[add]
        )
        await chat.ask("1")
        assert await db.doctor() == []
        async with db.engine.begin() as connection:
            these = MESSAGES.c.chat_id == chat.id, MESSAGES.c.seq > 2
            await connection.execute(MESSAGES.delete().where(*these))

        (found,) = await db.doctor(repair=True)

        assert found.repaired
        again = await load_chat(db, Script([say("On we go.")]), chat.id)
        assert (await again.ask("And now?")).text == "On we go."
        assert await db.doctor() == []
