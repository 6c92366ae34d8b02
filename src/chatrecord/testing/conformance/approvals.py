"""Tool calls that wait for approval."""

from __future__ import annotations

import asyncio

import pytest
from pydantic_ai import Tool

from chatrecord.chats import opening as chats
from chatrecord.errors import (
    ApprovalPending,
    ProviderError,
    RunNotFound,
)
from chatrecord.runs.process import Backend
from chatrecord.testing.look import (
    answered_calls,
    has_messages,
    load,
    new_chat,
    until,
)
from chatrecord.testing.script import Script, call, fail, meet, say

from .shared import add, paying


class CallsAreApproved:
    """Tool calls that wait for approval."""

    async def test_an_unknown_tool_beside_one_that_needs_approval_has_failed(
        self, backend: Backend
    ) -> None:
        tools = [Tool(paying([]), requires_approval=True)]
        script = Script([call("pay", "c1", n=5), call("refund", "c2", n=5)], [say("Paid.")])
        chat = await new_chat(backend, script, tools=tools)

        await chat.ask("Pay 5")

        parked, unknown = await chat.tool_calls()
        assert (parked.status, unknown.status) == ("awaiting_approval", "failed")
        assert "refund" in (unknown.error or "")
        await chat.approve("c1")
        assert (await chat.resume()).text == "Paid."
        assert (await chat.tool_calls())[1] == unknown

    async def test_a_run_that_parks_as_it_is_resumed_waits_for_its_approvals(
        self, backend: Backend, elsewhere: Backend, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Nothing waited yet when somebody looked: it would go on without the undecided call."""
        paid: list[int] = []
        tools = [add, Tool(paying(paid), requires_approval=True)]
        gate = asyncio.Event()
        script = Script([call("add", "c1", a=1, b=2), call("pay", "c2", n=5), meet(gate.wait)])
        chat = await new_chat(backend, script, tools=tools)
        asking = asyncio.create_task(chat.ask("Pay"))
        await until(lambda: has_messages(chat))
        script = Script([say("Paid.")])
        twin = await load(elsewhere, chat, script, tools=tools)
        repair = twin._runs.repair

        async def park_meanwhile() -> int:
            gate.set()
            await asyncio.wait([asking])
            return await repair()

        monkeypatch.setattr(twin._runs, "repair", park_meanwhile)

        with pytest.raises(ApprovalPending, match="c2"):
            await twin.resume()

        assert [row.call_id for row in await twin.pending_approvals()] == ["c2"]
        await twin.approve("c2")
        assert (await twin.resume()).text == "Paid."
        assert paid == [5]
        assert answered_calls(script.requests[-1]) == ["c1", "c2"]

    async def test_a_tool_that_needs_approval_parks_the_run(
        self, backend: Backend, elsewhere: Backend
    ) -> None:
        paid: list[int] = []
        tools = [add, Tool(paying(paid), requires_approval=True)]
        calls = [call("add", "c1", a=1, b=2), call("pay", "c2", n=5), call("pay", "c3", n=6)]
        chat = await new_chat(backend, Script([say("Paying."), *calls]), tools=tools)

        reply = await chat.ask("Pay 5 and 6")

        assert [row.call_id for row in reply.awaiting_approval] == ["c2", "c3"]
        assert [row.status for row in await chat.tool_calls()] == [
            "complete", "awaiting_approval", "awaiting_approval",
        ]  # fmt: skip
        with pytest.raises(ApprovalPending):
            await chat.ask("Something else?")

        script = Script([say("Paid 5 only.")])
        twin = await load(elsewhere, chat, script, tools=tools)
        assert [row.call_id for row in await twin.pending_approvals()] == ["c2", "c3"]
        await twin.approve("c2")
        with pytest.raises(ApprovalPending):
            await twin.resume()
        await twin.deny("c3", reason="too much")
        done = await twin.resume()

        assert (done.text, done.run_id) == ("Paid 5 only.", reply.run_id)
        assert paid == [5]
        rows = {row.call_id: row for row in await twin.tool_calls()}
        assert (rows["c2"].status, rows["c2"].result) == ("complete", "paid 5")
        assert (rows["c3"].status, rows["c3"].error) == ("denied", "too much")
        assert sorted(answered_calls(script.requests[-1])) == ["c1", "c2", "c3"]
        assert "too much" in str(script.requests[-1])
        assert await twin.pending_approvals() == []
        script.then([say("yes")])
        assert (await twin.ask("All done?")).text == "yes"
        assert sorted(answered_calls(script.requests[-1])) == ["c1", "c2", "c3"]

    async def test_a_call_is_decided_once(self, backend: Backend) -> None:
        tools = [Tool(paying([]), requires_approval=True)]
        chat = await new_chat(backend, Script([call("pay", "c1", n=5)]), tools=tools)
        await chat.ask("Pay")
        await chat.approve("c1")

        for decide in (chat.approve, chat.deny):
            with pytest.raises(RunNotFound):
                await decide("c1")

    async def test_a_parked_run_can_be_given_up(self, backend: Backend) -> None:
        tools = [Tool(paying([]), requires_approval=True)]
        script = Script([call("pay", "c1", n=5)], [say("fine")])
        chat = await new_chat(backend, script, tools=tools)
        await chat.ask("Pay")

        assert await chat.stop() is True

        assert (await chat.ask("Never mind")).text == "fine"
        assert answered_calls(script.requests[-1]) == ["c1"]
        assert (await chat.tool_calls())[0].status == "denied"

    async def test_a_question_denies_what_is_parked_if_asked_to(
        self, backend: Backend, elsewhere: Backend
    ) -> None:
        tools = [Tool(paying([]), requires_approval=True)]
        chat = await new_chat(backend, Script([call("pay", "c1", n=5)]), tools=tools)
        await chat.ask("Pay")
        script = Script([say("fine")])
        twin = await load(elsewhere, chat, script, tools=tools, on_parked="deny")

        assert (await twin.ask("Never mind")).text == "fine"

        assert answered_calls(script.requests[-1]) == ["c1"]
        assert (await chat.tool_calls())[0].status == "denied"

    async def test_a_parked_run_is_not_taken_for_dead(
        self, backend: Backend, elsewhere: Backend
    ) -> None:
        tools = [Tool(paying([]), requires_approval=True)]
        chat = await new_chat(backend, Script([call("pay", "c1", n=5)]), tools=tools)
        await chat.ask("Pay")

        assert await chats.repair(elsewhere, chats=[chat.id]) == 0

        assert len(await chat.pending_approvals()) == 1

    async def test_what_was_decided_is_decided_for_its_own_answer(self, backend: Backend) -> None:
        paid: list[int] = []
        tools = [Tool(paying(paid), requires_approval=True)]
        script = Script(
            [call("pay", "c1", n=5)], [call("pay", "c2", n=6)], [fail(RuntimeError("cut"))]
        )
        chat = await new_chat(backend, script, tools=tools, retries=0)
        await chat.ask("Pay")
        await chat.deny("c1", reason="too early")
        await chat.resume()
        await chat.approve("c2")
        with pytest.raises(ProviderError):
            await chat.resume()
        script.then([say("Paid.")])

        assert (await chat.resume()).text == "Paid."

        assert paid == [6]
        assert sorted(answered_calls(script.requests[-1])) == ["c1", "c2"]
