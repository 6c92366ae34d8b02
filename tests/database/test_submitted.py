"""Questions that are submitted in the application's own transaction, and without `async`."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from chatrecord.chats import working
from chatrecord.chats.chat import Chat
from chatrecord.errors import ChatNotFound, ConfigurationError, RunNotFound, SentBefore
from chatrecord.records import ChatRecord
from chatrecord.sqlalchemy import (
    Database,
    count_runs,
    create_chat,
    delete_chat,
    list_runs,
    load_chat,
    restore_chat,
    sync,
)
from chatrecord.testing import Script, hang, say
from chatrecord.testing.look import until


async def test_a_question_is_part_of_the_applications_transaction(own_url: str) -> None:
    async with Database(own_url) as db:
        async with AsyncSession(db.engine) as session:
            chat = await create_chat(db, Script(), user_id="ann", connection=session)
            lost = await chat.submit("Hi!", idempotency_key="k", connection=session)
            await session.rollback()
        with pytest.raises(RunNotFound):
            await db.work_on(lost, lambda _: Script())

        async with db.engine.begin() as connection:
            chat = await create_chat(db, Script(), user_id="ann", connection=connection)
            run_id = await chat.submit("Hi!", idempotency_key="k", connection=connection)
            again = await chat.submit("Hi!", idempotency_key="k", connection=connection)
            with pytest.raises(SentBefore):
                await chat.submit("Bye!", idempotency_key="k", connection=connection)

        assert again == run_id
        assert (await db.work_on(run_id, lambda _: Script([say("Hello")]))).text == "Hello"


async def test_runs_are_listed_and_counted_within_a_scope(own_url: str) -> None:
    async with Database(own_url) as db:
        chats = {name: await create_chat(db, Script(), user_id=name) for name in ("ann", "bob")}
        ids = [await chats[name].submit(f"{n}") for n, name in enumerate(("ann", "bob", "ann"))]

        page = await list_runs(db, status="queued", limit=2)
        assert [run.id for run in page] == ids[:0:-1]
        rest = await list_runs(db, status="queued", limit=2, before=page[-1])
        assert [run.id for run in rest] == ids[:1]
        assert [run.question_text for run in await list_runs(db, user_id="ann")] == ["2", "0"]
        assert await count_runs(db, status="queued") == 3
        assert await count_runs(db, status="queued", user_id="bob") == 1
        assert await count_runs(db, status="complete") == 0
        with pytest.raises(ValueError, match="status="):
            await list_runs(db, status="quequed")  # type: ignore[arg-type]


async def test_a_question_of_a_deleted_chat_is_refused(own_url: str) -> None:
    async with Database(own_url) as db:
        chat = await create_chat(db, Script(), user_id="ann")
        run_id = await chat.submit("Hi!")
        await db.store.delete_chat(chat.id, {})

        with pytest.raises(ChatNotFound):
            await chat.submit("Hi!")
        with pytest.raises(RunNotFound):
            await db.work_on(run_id, lambda _: Script())


def test_plain_code_submits_and_works(own_url: str) -> None:
    db = Database(own_url)
    try:
        chat = sync.create_chat(db, Script(), user_id="ann")
        run_id = chat.submit("Hi!")
        assert [run.question_text for run in chat.runs(status="queued")] == ["Hi!"]
        assert sync.count_runs(db, status="queued") == 1

        reply = sync.work_on(db, run_id, lambda _: Script([say("Hello")]))

        assert (reply.text, chat.follow(run_id).read().text) == ("Hello", "Hello")
        stopped = chat.submit("Wait")
        assert chat.stop(stopped)
        assert [run.status for run in sync.list_runs(db)] == ["interrupted", "complete"]
    finally:
        sync.wait(db.close())


async def test_a_run_that_cannot_begin_is_tried_again_after_a_while(
    own_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another worker may have the key that this one lacks. Meanwhile this one answers others."""
    monkeypatch.setattr(working, "REPAIR_SECONDS", 60)
    monkeypatch.setattr(working, "SPREAD", 1)
    tried: list[str | None] = []
    stop = asyncio.Event()

    def llm_for(record: ChatRecord) -> Script:
        tried.append(record.title)
        if record.title == "odd":
            msg = "there is no key for this model"
            raise ConfigurationError(msg)
        return Script([say("ok")])

    async with Database(own_url) as db:
        odd = await create_chat(db, Script(), title="odd", user_id="u1")
        run_id = await odd.submit("1")
        task = asyncio.create_task(db.work(llm_for, stop=stop, concurrency=1))
        await until(lambda: _is_tried(tried))
        for _ in range(3):
            chat = await create_chat(db, Script(), title="even", user_id="u1")
            assert (await chat.follow(await chat.submit("2"))).text == "ok"
        stop.set()
        await task

        assert tried.count("odd") == 1
        assert [run.id for run in await odd.runs(status="queued")] == [run_id]


async def _is_tried(tried: list[str | None]) -> bool:
    return bool(tried)


async def test_two_processes_that_submit_at_once_keep_one_order(own_url: str) -> None:
    async with Database(own_url) as here, Database(own_url) as there:
        chat = await create_chat(here, Script(), user_id="ann")
        twin = await load_chat(there, Script(), chat.id)

        ids = await asyncio.gather(*(each.submit("?") for each in (chat, twin) * 5))

        assert len(set(ids)) == 10
        assert [run.id for run in await chat.runs()] == sorted(ids, reverse=True)


async def test_the_doctor_finds_nothing_wrong_with_what_is_queued(own_url: str) -> None:
    async with Database(own_url) as db:
        chat = await create_chat(db, Script([say("old")]), user_id="ann")
        await chat.ask("Hi!")
        regenerated = await chat.submit_regenerate()
        await chat.submit("And?")
        working = asyncio.create_task(db.work_on(regenerated, lambda _: Script([say("a"), hang()])))
        await until(lambda: _runs(chat))
        working.cancel()
        await asyncio.wait([working])

        assert [run.status for run in await chat.runs()] == ["queued", "queued", "complete"]
        assert await db.doctor(repair=True) == []
        active = await chat.active_run()
        assert active is not None
        assert active.id == regenerated


async def test_what_is_queued_in_a_chat_deleted_for_a_time_waits_until_it_is_restored(
    own_url: str,
) -> None:
    async with Database(own_url) as db:
        chat = await create_chat(db, Script(), user_id="ann")
        run_id = await chat.submit("Hi!")
        await delete_chat(db, chat.id, soft=True)

        assert await db.store.ready_runs(limit=9) == []
        assert await count_runs(db, status="queued") == 0
        with pytest.raises(ChatNotFound):
            await db.work_on(run_id, lambda _: Script())

        await restore_chat(db, chat.id)
        assert [run.id for run in await db.store.ready_runs(limit=9)] == [run_id]
        assert (await db.work_on(run_id, lambda _: Script([say("Hello")]))).text == "Hello"


async def _runs(chat: Chat) -> bool:
    return bool(await chat.runs(status="running"))
