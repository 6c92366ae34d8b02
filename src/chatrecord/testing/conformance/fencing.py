"""Two tasks on one run, in one process or in two: only the newer may write."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from pydantic_ai import Tool

from chatrecord.chats import opening as chats
from chatrecord.chats.chat import Chat
from chatrecord.errors import ChatBusy, LeaseLost
from chatrecord.records import Run
from chatrecord.runs.process import Backend
from chatrecord.store.changes import Changes, JournalEntry, Lease
from chatrecord.testing.look import answered_calls, die, has_journal, load, new_chat, until
from chatrecord.testing.script import Script, call, hang, meet, say

from .shared import AWKWARD, add, read

_A_WHILE = timedelta(seconds=1)
"""A lease that nobody renews; the stop at the end of a test waits until it is over."""


class RunsAreFenced:
    """Two tasks on one run."""

    @pytest.mark.parametrize("looks", ["load", "list", "ask", "follow", "repair"])
    async def test_a_suspended_process_continues_its_own_run(
        self, backend: Backend, looks: str
    ) -> None:
        gate = asyncio.Event()
        script = Script([say(AWKWARD), meet(gate.wait), say(" and on")], [say("next")])
        chat = await new_chat(backend, script, user_id="sleeper")
        asking = asyncio.create_task(chat.ask("Hi!"))
        await until(lambda: has_journal(backend, chat))
        await die(backend, chat)

        following = None
        if looks == "load":
            await load(backend, chat, Script())
        elif looks == "list":
            await chats.list_chats(backend, limit=5, before=None, scope={"user_id": "sleeper"})
        elif looks == "ask":
            with pytest.raises(ChatBusy):
                await chat.ask("And?")
        elif looks == "follow":
            twin = await load(backend, chat, Script())
            following = asyncio.create_task(read(twin.follow()))
            await asyncio.sleep(0)
        else:
            await chats.repair(backend, chats=[chat.id])
        backend.runtime.journal.go_on()
        gate.set()

        whole = AWKWARD + " and on"
        assert (await asking).text == whole
        if following is not None:
            assert "".join(chunk.text for chunk in await following) == whole
        assert [message.status for message in await chat.messages()] == ["complete"] * 2
        assert (await chat.ask("And?")).text == "next"

    async def test_the_older_of_two_tasks_on_a_run_can_write_no_more(
        self, backend: Backend
    ) -> None:
        """Not even where both have the same owner."""
        chat, run = await _dead(backend)
        now = datetime.now(UTC)
        newer = await backend.store.claim(run, owner=run.owner, now=now, until=now + _A_WHILE)
        assert newer is not None
        assert newer.epoch == run.epoch + 1
        answer = (await chat.messages())[-1]
        kept = await chat.messages()

        lease = Lease(run.id, run.owner, run.epoch, now + 2 * _A_WHILE)
        piece = JournalEntry(answer.id, 99, {"kind": "text", "text": "stale"})
        assert await backend.store.flush({lease: [piece]}) == {}
        assert await backend.store.flush({lease: [piece]}, renew=()) == {}
        stale = Changes(chat.id, lease)
        stale.put(replace(answer, text="stale", status="complete"))
        with pytest.raises(LeaseLost):
            await backend.store.write(stale)
        request = (await chat.requests())[0]
        with pytest.raises(LeaseLost):
            await backend.store.reserve(request, lease, [])

        assert await chat.messages() == kept
        assert await backend.store.journal(answer.id, after=98) == []
        assert list(await backend.store.flush({replace(lease, epoch=newer.epoch): []})) == [run.id]
        await _end(backend, chat)

    async def test_an_answer_that_ends_after_its_run_was_taken_raises_that(
        self, backend: Backend, elsewhere: Backend
    ) -> None:
        """Its last transaction finds out, as no flush has done before."""
        gate = asyncio.Event()
        chat = await new_chat(backend, Script([say("half"), meet(gate.wait)]))
        asking = asyncio.create_task(chat.ask("Hi!"))
        await until(lambda: has_journal(backend, chat))
        await die(backend, chat)
        assert await chats.repair(elsewhere, chats=[chat.id]) == 1
        gate.set()

        with pytest.raises(LeaseLost):
            await asking

        assert (await chat.messages())[-1].status == "interrupted"
        backend.runtime.journal.go_on()

    async def test_the_lease_of_a_parked_run_has_no_end(self, backend: Backend) -> None:
        """A flush that comes late, as another that was under way, does not shorten it."""
        tools = [Tool(add, requires_approval=True)]
        chat = await new_chat(backend, Script([call("add", "c1", a=1, b=2)]), tools=tools)
        await chat.ask("Add")
        parked = await chat.active_run()
        assert parked is not None
        assert parked.status == "parked"
        soon = datetime.now(UTC) + timedelta(milliseconds=1)

        late = Lease(parked.id, parked.owner, parked.epoch, soon)
        assert await backend.store.flush({late: []}) == {}

        assert await chat.active_run() == parked
        await asyncio.sleep(0.01)
        assert await chats.repair(backend, chats=[chat.id]) == 0
        assert len(await chat.pending_approvals()) == 1
        await chat.stop()

    async def test_leases_of_several_epochs_are_renewed_together(self, backend: Backend) -> None:
        first, run = await _dead(backend)
        backend.runtime.journal.go_on()
        second, other = await _dead(backend)
        now = datetime.now(UTC)
        until = now + _A_WHILE
        again = await backend.store.claim(other, owner=run.owner, now=now, until=until)
        assert again is not None

        leases: dict[Lease, list[JournalEntry]] = {
            Lease(run.id, run.owner, run.epoch, until): [],
            Lease(again.id, again.owner, again.epoch, until): [],
        }

        assert set(await backend.store.flush(leases)) == {run.id, again.id}
        await _end(backend, first)
        await _end(backend, second)

    async def test_a_lease_that_is_not_due_is_checked_and_stays(self, backend: Backend) -> None:
        chat, run = await _dead(backend)
        before = await chat.active_run()
        answer = (await chat.messages())[-1]
        until = datetime.now(UTC) + _A_WHILE
        lease = Lease(run.id, run.owner, run.epoch, until)
        piece = JournalEntry(answer.id, 99, {"kind": "text", "text": "more"})

        assert await backend.store.flush({lease: [piece]}, renew=()) == {run.id: False}
        assert await backend.store.flush({lease: []}, renew=()) == {run.id: False}

        assert await backend.store.journal(answer.id, after=98) == [piece]
        assert await chat.active_run() == before
        await _end(backend, chat)

    async def test_a_resume_waits_for_the_task_that_lost_its_run(
        self, backend: Backend, elsewhere: Backend
    ) -> None:
        started, ended = asyncio.Event(), asyncio.Event()
        ran: list[str] = []

        async def pay() -> str:
            ran.append("pay")
            started.set()
            try:
                await asyncio.Event().wait()
            finally:
                await asyncio.sleep(0.05)
                ended.set()
            return "paid"

        script = Script([say("Paying. "), call("pay", "c1")], [say("on")])
        chat = await new_chat(backend, script, tools=[pay])
        asking = asyncio.create_task(chat.ask("Pay"))
        await asyncio.wait_for(started.wait(), 5)
        await die(backend, chat)
        await chats.repair(elsewhere, chats=[chat.id])
        backend.runtime.journal.go_on()

        reply = await chat.resume()

        assert ended.is_set()
        assert reply.text == "on"
        assert ran == ["pay"]
        assert answered_calls(script.requests[-1]) == ["c1"]
        with pytest.raises(LeaseLost):
            await asking
        assert [call.status for call in await chat.tool_calls()] == ["interrupted"]
        assert await chat.active_run() is None


async def _dead(backend: Backend) -> tuple[Chat, Run]:
    """A run in mid-answer whose lease is over, as far as its row tells."""
    chat = await new_chat(backend, Script([say("half"), hang()]))
    asking = asyncio.create_task(chat.ask("Hi!"))
    asking.add_done_callback(lambda task: task.exception())
    await until(lambda: has_journal(backend, chat))
    run = await chat.active_run()
    assert run is not None
    await die(backend, chat)
    return chat, run


async def _end(backend: Backend, chat: Chat) -> None:
    backend.runtime.journal.go_on()
    await chat.stop()
