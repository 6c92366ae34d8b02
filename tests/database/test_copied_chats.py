"""Branches and copies of chats that were not written by one process from start to end."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest

from chatrecord import Chat
from chatrecord.errors import ChatBusy, RunStopped
from chatrecord.records import Message
from chatrecord.sqlalchemy import (
    Database,
    create_chat,
    export_chat,
    import_chat,
    import_history,
    list_runs,
    load_chat,
)
from chatrecord.store.branch_store import Outline
from chatrecord.testing import Script, hang, say
from chatrecord.testing.look import has_journal, until

SAID = ["How many?", "Let me see.", "Thirty.", "And then?", "Ten."]


async def current(chat: Chat) -> list[str]:
    return [it.text for it in await chat.messages() if it.status != "superseded"]


async def test_all_of_an_imported_answer_is_restored_and_copied(db: Database) -> None:
    """Other libraries keep answers of several messages, which none of them replaced."""
    roles = ("user", "assistant", "assistant", "user", "assistant")
    history = [{"role": role, "content": text} for role, text in zip(roles, SAID, strict=True)]
    record = await import_history(db, history, format="openai")
    chat = await load_chat(db, Script([say("Eleven.")]), record.id)
    last = (await chat.messages())[-1].id
    await chat.regenerate()

    await chat.restore(last)

    assert await current(chat) == SAID
    assert await current(await chat.fork(at=last)) == SAID
    assert await db.doctor() == []


async def test_a_run_that_waits_for_a_worker_again_is_not_copied(db: Database) -> None:
    """Or a worker would answer its question once more, in the copy."""
    chat = await create_chat(db, Script())
    run_id = await chat.submit("How many?")
    answering = asyncio.create_task(db.work_on(run_id, lambda _: Script([say("par"), hang()])))
    await until(lambda: has_journal(db, chat))
    answering.cancel()
    with pytest.raises(asyncio.CancelledError):
        await answering

    with pytest.raises(ChatBusy) as busy:
        await chat.fork()

    assert busy.value.run_id == run_id
    assert [run.id for run in await list_runs(db, status="queued")] == [run_id]


async def test_a_question_that_was_stopped_in_the_queue_is_exported(db: Database) -> None:
    chat = await create_chat(db, Script())
    await chat.stop(await chat.submit("How many?"))

    copy = await import_chat(db, export_chat(db, chat.id), new_ids=True)

    (run,) = await chat.runs()
    (copied,) = await (await load_chat(db, Script(), copy.id)).runs()
    assert copied.question_text == "How many?"
    assert isinstance(copied.question, dict)
    assert isinstance(run.question, dict)
    assert copied.question["id"] != run.question["id"], "it would be the same message of two chats"


async def test_nothing_is_restored_by_what_was_read_while_an_answer_was_written(
    db: Database,
) -> None:
    """The run ends between the two: its question would go, and its answer stay."""
    held = asyncio.Event()
    chat = await create_chat(db, Script([say("old")], [say("new")], [say("an"), hang()]))
    old = await chat.ask("How many?")
    await chat.regenerate()
    answering = asyncio.create_task(chat.ask("And then?"))
    await until(lambda: has_journal(db, chat))
    outline = db.store.outline

    async def read_early(chat_id: UUID) -> Outline:
        found = await outline(chat_id)
        await chat.stop()
        held.set()
        return found

    db.store.outline = read_early  # type: ignore[method-assign]

    with pytest.raises(ChatBusy):
        await chat.restore(old.message_id)

    with pytest.raises(RunStopped):
        await answering
    assert held.is_set()
    assert await current(chat) == ["How many?", "new", "And then?", "an"]


async def test_a_copy_has_what_was_current_as_it_was_begun(db: Database) -> None:
    chat = await create_chat(db, Script([say("old")], [say("new")]))
    await chat.ask("How many?")
    outline = db.store.outline

    async def read_early(chat_id: UUID) -> Outline:
        found = await outline(chat_id)
        await chat.regenerate()
        return found

    db.store.outline = read_early  # type: ignore[method-assign]

    assert await current(await chat.fork()) == ["How many?", "old"]


@pytest.mark.parametrize("change", ["restore", "edit"])
async def test_a_queued_run_ends_whose_question_was_replaced_meanwhile(
    db: Database, change: str
) -> None:
    """It would be answered without its question, in another branch."""
    chat = await create_chat(db, Script([say("a")], [say("b")], [say("c")]))
    first = await chat.ask("How many?")
    await chat.edit((await chat.messages())[0].id, "How much?")
    question = next(it.id for it in await chat.messages() if it.text == "How much?")
    queued = [await chat.submit_regenerate(), await chat.submit_edit(question, "How long?")]
    if change == "restore":
        await chat.restore(first.message_id)
    else:
        await chat.edit(question, "How often?")
    before = await current(chat)

    for run_id in queued:
        with pytest.raises(RunStopped, match="replaced"):
            await db.work_on(run_id, lambda _: Script())

    assert await current(chat) == before
    assert await list_runs(db, status="queued") == []
    assert await db.doctor() == []


async def test_no_answer_is_given_anew_whose_question_another_branch_has_replaced(
    db: Database,
) -> None:
    chat = await create_chat(db, Script([say("a")], [say("b")], [say("c")]))
    first = await chat.ask("How many?")
    await chat.edit((await chat.messages())[0].id, "How much?")
    messages = db.store.messages

    async def read_early(chat_id: UUID, *, limit: int, before: int | None) -> list[Message]:
        found = await messages(chat_id, limit=limit, before=before)
        db.store.messages = messages  # type: ignore[method-assign]
        await chat.restore(first.message_id)
        return found

    db.store.messages = read_early  # type: ignore[method-assign]
    with pytest.raises(ChatBusy):
        await chat.regenerate()

    assert await current(chat) == ["How many?", "a"]
