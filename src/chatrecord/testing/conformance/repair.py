"""Processes that die or are paused."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest

from chatrecord.chats import opening as chats
from chatrecord.errors import LeaseLost, RunInterrupted
from chatrecord.runs.process import Backend
from chatrecord.testing.look import answered_calls, die, has_journal, load, new_chat, until
from chatrecord.testing.script import Script, call, hang, meet, say, think

from .shared import AWKWARD, add, has_result, read


class TheDeadAreRepaired:
    """Processes that die or are paused."""

    @pytest.mark.parametrize("looks", ["load", "list", "ask", "follow", "repair"])
    async def test_a_dead_run_is_ended_by_the_next_reader(
        self, backend: Backend, elsewhere: Backend, looks: str
    ) -> None:
        owner = str(uuid4())
        chat = await new_chat(backend, Script([think("hm"), say(AWKWARD), hang()]), user_id=owner)
        asking = asyncio.create_task(chat.ask("Hi!"))
        await until(lambda: has_journal(backend, chat))
        twin = await load(elsewhere, chat, Script([say("on")]))
        await die(backend, chat)

        if looks == "load":
            await load(elsewhere, chat, Script())
        elif looks == "list":
            await chats.list_chats(elsewhere, limit=5, before=None, scope={"user_id": owner})
        elif looks == "ask":
            assert (await twin.ask("Go on")).text == "on"
        elif looks == "follow":
            with pytest.raises(RunInterrupted):
                await read(twin.follow((await twin.messages())[-1].run_id))
        else:
            await chats.repair(elsewhere)

        answered = (await twin.messages())[1]
        assert (answered.status, answered.text) == ("interrupted", AWKWARD)
        assert answered.reasoning == "hm"
        assert await elsewhere.store.journal(answered.id, after=-1) == []
        assert (await twin.requests())[0].status == "interrupted"
        asking.cancel()

    async def test_a_dead_run_answers_its_tool_calls(
        self, backend: Backend, elsewhere: Backend
    ) -> None:
        started = asyncio.Event()

        async def forever() -> None:
            started.set()
            await asyncio.Event().wait()

        calls = [call("add", "c1", a=1, b=2), call("forever", "c2")]
        chat = await new_chat(backend, Script(calls), tools=[add, forever])
        asking = asyncio.create_task(chat.ask("Run"))
        await asyncio.wait_for(started.wait(), 5)
        await until(lambda: has_result(chat))
        await die(backend, chat)

        script = Script([say("on")])
        twin = await load(elsewhere, chat, script)
        await twin.ask("And now?")

        rows = {row.call_id: row for row in await twin.tool_calls()}
        assert (rows["c1"].status, rows["c1"].result) == ("complete", 3)
        assert rows["c2"].status == "interrupted"
        assert answered_calls(script.requests[-1]) == ["c1", "c2"]
        asking.cancel()

    async def test_who_has_lost_its_lease_cannot_write(
        self, backend: Backend, elsewhere: Backend
    ) -> None:
        gate = asyncio.Event()
        script = Script([say("before"), meet(gate.wait), say(" and after"), call("add", a=1, b=2)])
        chat = await new_chat(backend, script, tools=[add])
        asking = asyncio.create_task(chat.ask("Hi!"))
        await until(lambda: has_journal(backend, chat))
        await die(backend, chat)
        twin = await load(elsewhere, chat, Script([say("on")]))
        kept = await twin.messages()

        backend.runtime.journal.go_on()
        gate.set()

        with pytest.raises(LeaseLost):
            await asking
        assert await twin.messages() == kept
        assert kept[-1].text == "before"
        assert await twin.tool_calls() == []
        assert await elsewhere.store.journal(kept[-1].id, after=-1) == []
        assert (await twin.ask("Go on")).text == "on"

    async def test_one_of_many_repairers_ends_a_dead_run(
        self, backend: Backend, elsewhere: Backend
    ) -> None:
        chat = await new_chat(backend, Script([say("half"), hang()]))
        asking = asyncio.create_task(chat.ask("Hi!"))
        await until(lambda: has_journal(backend, chat))
        await die(backend, chat)

        ended = await asyncio.gather(*(chats.repair(elsewhere, chats=[chat.id]) for _ in range(5)))

        assert sum(ended) == 1
        assert [message.text for message in await chat.messages()] == ["Hi!", "half"]
        asking.cancel()
