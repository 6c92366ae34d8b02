"""Workers that die, close or are stopped: others go on with their runs."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest

from chatrecord.chats.chat import Chat
from chatrecord.chats.stream import ChatStream
from chatrecord.errors import ChatBusy, HandedBack, RunStopped, WorkersDied
from chatrecord.runs.process import Backend
from chatrecord.testing.look import (
    PATIENCE,
    die,
    has_journal,
    journal_of,
    load,
    new_chat,
    spoken,
    text_of,
    until,
)
from chatrecord.testing.script import Script, call, hang, say

from .events import told_of
from .shared import paying, read
from .workers import answer


class WorkersTakeOver:
    """Workers that die, close or are stopped: others go on with their runs."""

    async def test_a_dead_workers_run_is_queued_and_another_goes_on(
        self, backend: Backend, elsewhere: Backend
    ) -> None:
        paid: list[int] = []
        tools = [paying(paid)]
        chat = await new_chat(backend, Script())
        run_id = await chat.submit("Pay")
        script = Script([call("pay", "c1", n=5)], [say("half"), hang()])
        working = asyncio.create_task(answer(backend, run_id, script, tools=tools))
        await until(lambda: _has_text(backend, chat, "half"))
        twin = await load(elsewhere, chat, Script())
        later = await twin.submit("And now?")
        stream = twin.follow(run_id)
        following = asyncio.create_task(read(stream))
        await until(lambda: _has_begun(stream))
        await die(backend, chat)

        await twin.active_run()  # whoever looks at the chat repairs it, or a follower does so now
        await until(lambda: _is_let_go(elsewhere, twin, run_id))

        held = await twin.active_run()
        assert held is not None
        assert (held.id, held.status) == (run_id, "queued")
        with pytest.raises(ChatBusy):
            await answer(elsewhere, later, Script())
        with pytest.raises(ChatBusy):
            await twin.ask("Me first")
        script = Script([say("whole")])
        reply = await answer(elsewhere, run_id, script, tools=tools)

        chunks = await following
        assert reply.text == stream.reply.text == "whole"
        (restart,) = (chunk for chunk in chunks if chunk.kind == "restart")
        kept = [chunk for chunk in chunks if chunk.message_id != restart.message_id]
        assert (text_of(chunks), text_of(kept)) == ("halfwhole", "whole")
        assert paid == [5]
        assert [(message.role, message.text, message.status) for message in await twin.messages()][
            -2:
        ] == [("assistant", "half", "superseded"), ("assistant", "whole", "complete")]
        assert (await answer(elsewhere, later, Script([say("ok")]))).text == "ok"
        working.cancel()
        await asyncio.wait([working])

    async def test_a_run_whose_workers_die_one_after_the_other_fails(
        self, backend: Backend, elsewhere: Backend
    ) -> None:
        chat = await new_chat(elsewhere, Script())
        run_id, later = await chat.submit("Hi!"), await chat.submit("And now?")
        following = asyncio.create_task(read(chat.follow(run_id)))
        limit = backend.runtime.max_worker_deaths

        await die_over(backend, chat, run_id, times=limit - 1)
        assert run_id in [run.id for run in await chat.runs(status="queued")]
        await die_over(backend, chat, run_id, times=1)

        with pytest.raises(WorkersDied, match=f"{limit} workers in a row died"):
            await asyncio.wait_for(following, PATIENCE)
        with pytest.raises(WorkersDied):
            await answer(elsewhere, run_id, Script())
        (run,) = await chat.runs(status="failed")
        assert (run.id, run.error is not None) == (run_id, True)
        rows = [(row.text, row.status) for row in await chat.messages()]
        assert (rows[0], rows[-1]) == (("Hi!", "complete"), ("half", "interrupted"))
        (event,) = await told_of(elsewhere, chat)
        assert (event.type, event.run_id) == ("run.failed", run_id)
        assert event.data["error_type"] == "WorkersDied"
        assert (await answer(elsewhere, later, Script([say("ok")]))).text == "ok"

    async def test_a_failed_run_can_be_tried_again_as_often_as_a_new_one(
        self, backend: Backend, elsewhere: Backend
    ) -> None:
        chat = await new_chat(elsewhere, Script())
        run_id = await chat.submit("Hi!")
        limit = backend.runtime.max_worker_deaths
        await die_over(backend, chat, run_id, times=limit)
        assert await chat.submit_resume() == run_id

        await die_over(backend, chat, run_id, times=limit - 1)

        assert (await answer(elsewhere, run_id, Script([say("whole")]))).text == "whole"

    async def test_a_worker_that_closes_in_order_begins_the_count_of_deaths_anew(
        self, backend: Backend, elsewhere: Backend
    ) -> None:
        chat = await new_chat(elsewhere, Script())
        run_id = await chat.submit("Hi!")
        limit = backend.runtime.max_worker_deaths
        await die_over(backend, chat, run_id, times=limit - 1)
        working = asyncio.create_task(answer(elsewhere, run_id, Script([say("half"), hang()])))
        await until(lambda: has_journal(elsewhere, chat))
        working.cancel()
        await asyncio.wait([working])

        await die_over(backend, chat, run_id, times=limit - 1)

        assert (await answer(elsewhere, run_id, Script([say("whole")]))).text == "whole"

    @pytest.mark.parametrize("is_edit", [False, True])
    async def test_a_replacement_is_begun_anew_where_its_worker_died(
        self, backend: Backend, elsewhere: Backend, is_edit: bool
    ) -> None:
        chat = await new_chat(backend, Script([say("old")]))
        await chat.ask("Hi!")
        question, _ = await chat.messages()
        if is_edit:
            run_id = await chat.submit_edit(question.id, "Hey!")
        else:
            run_id = await chat.submit_regenerate()
        working = asyncio.create_task(answer(backend, run_id, Script([say("half"), hang()])))
        await until(lambda: has_journal(backend, chat))
        await die(backend, chat)
        twin = await load(elsewhere, chat, Script())
        script = Script([say("new")])

        await answer(elsewhere, run_id, script)

        asked = "Hey!" if is_edit else "Hi!"
        assert spoken(script.requests[-1]) == [("user", asked)]
        valid = [row.text for row in await twin.messages() if row.status != "superseded"]
        assert valid == [asked, "new"]
        assert (await twin.runs())[0].question is None
        working.cancel()
        await asyncio.wait([working])

    async def test_closing_a_worker_hands_its_run_back(
        self, backend: Backend, elsewhere: Backend
    ) -> None:
        chat = await new_chat(elsewhere, Script())
        run_id = await chat.submit("Hi!")
        working = asyncio.create_task(answer(backend, run_id, Script([say("half"), hang()])))
        await until(lambda: has_journal(elsewhere, chat))
        following = asyncio.create_task(chat.follow(run_id)._whole())

        await backend.runtime.close()

        with pytest.raises(HandedBack) as handed_back:
            await working
        assert not hasattr(handed_back.value, "__notes__")  # its end was stored at once
        (run,) = await chat.runs()
        assert (run.status, run.error) == ("queued", None)
        assert [(row.text, row.status) for row in await chat.messages()][-1] == (
            "half", "interrupted",
        )  # fmt: skip
        assert (await answer(elsewhere, run_id, Script([say("whole")]))).text == "whole"
        assert (await following).text == "whole"

    async def test_a_cancelled_worker_hands_its_run_back(self, backend: Backend) -> None:
        chat = await new_chat(backend, Script())
        run_id = await chat.submit("Hi!")
        working = asyncio.create_task(answer(backend, run_id, Script([say("half"), hang()])))
        await until(lambda: has_journal(backend, chat))

        working.cancel()
        with pytest.raises(asyncio.CancelledError):
            await working

        assert (await chat.runs())[0].status == "queued"
        assert (await answer(backend, run_id, Script([say("whole")]))).text == "whole"

    async def test_a_queued_run_that_has_begun_is_stopped(
        self, backend: Backend, elsewhere: Backend
    ) -> None:
        chat = await new_chat(elsewhere, Script([say("on")]))
        run_id = await chat.submit("Hi!")
        working = asyncio.create_task(answer(backend, run_id, Script([say("half"), hang()])))
        await until(lambda: has_journal(elsewhere, chat))
        working.cancel()
        await asyncio.wait([working])

        assert await chat.stop(run_id) is True

        assert await chat.active_run() is None
        with pytest.raises(RunStopped):
            await answer(backend, run_id, Script())
        assert (await chat.ask("Go on")).text == "on"


async def die_over(backend: Backend, chat: Chat, run_id: UUID, *, times: int) -> None:
    """Die in the middle of the answer, as each worker does that takes up this run."""
    for _ in range(times):
        backend.runtime.journal.go_on()
        working = asyncio.create_task(answer(backend, run_id, Script([say("half"), hang()])))
        await until(lambda: has_journal(backend, chat))
        await die(backend, chat)
        await chat.active_run()  # whoever looks at the chat repairs it, or a follower does so now
        await until(lambda: _is_let_go(backend, chat, run_id))
        working.cancel()
        await asyncio.wait([working])


async def _is_let_go(backend: Backend, chat: Chat, run_id: UUID) -> bool:
    """Whether nobody works on this run any more, be it queued again or ended."""
    run = await backend.store.get_run(chat.id, run_id)
    return run is not None and run.status != "running"


async def _has_text(backend: Backend, chat: Chat, text: str) -> bool:
    return await has_journal(backend, chat) and await journal_of(backend, chat) == text


async def _has_begun(stream: ChatStream[str]) -> bool:
    return any(chunk.text for chunk in stream._run._chunks) if stream._run else False
