"""Agents that are called by their own code, and recorded all the same."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import pytest
from pydantic_ai import Agent, DeferredToolRequests, DeferredToolResults, Tool, ToolDenied
from pydantic_ai.exceptions import ModelHTTPError
from pydantic_ai.run import AgentRunResult

from chatrecord.chats import opening as chats
from chatrecord.chats.chat import Chat
from chatrecord.errors import ChatBusy, ChatNotFound, RunInterrupted
from chatrecord.hooks import Hook, Sending
from chatrecord.ids import new_id
from chatrecord.pydantic_ai import Persisted, message_history
from chatrecord.runs.process import Backend
from chatrecord.testing.look import dumped, ended_answer, has_journal, load, new_chat, until
from chatrecord.testing.script import Script, call, fail, hang, say, think

from .shared import add, paying


async def recorded(backend: Backend, result: AgentRunResult[Any]) -> Chat:
    """The chat of a run, as our own code has it."""
    return await chats.load_chat(
        backend, Script(), UUID(result.conversation_id), {}, {"any_agent": True}
    )


class OwnAgentsAreRecorded:
    """Agents that are called by their own code, and recorded all the same."""

    async def test_a_run_of_an_agent_is_rows(self, backend: Backend) -> None:
        script = Script([think("hm"), say("Let me."), call("add", "c1", a=1, b=2)], [say("three")])
        agent = Agent(script, name="adder", tools=[add], capabilities=[Persisted(backend)])
        result = await agent.run("1 + 2?")

        chat = await recorded(backend, result)
        assert chat.record.agent == "adder"
        messages = await chat.messages()
        assert [(it.role, it.status, it.text) for it in messages] == [
            ("user", "complete", "1 + 2?"),
            ("assistant", "complete", "Let me."),
            ("tool", "complete", ""),
            ("assistant", "complete", "three"),
        ]
        assert messages[1].reasoning == "hm"
        assert [it.status for it in await chat.requests()] == ["complete", "complete"]
        (row,) = await chat.tool_calls()
        assert (row.status, row.arguments, row.result) == ("complete", {"a": 1, "b": 2}, 3)
        assert await chat.active_run() is None

    async def test_a_conversation_is_one_chat(self, backend: Backend) -> None:
        script = Script([say("one")], [say("two")], [say("three")])
        agent = Agent(script, capabilities=[Persisted(backend, user_id="u1")])
        first = await agent.run("first")
        chat_id = first.conversation_id
        await agent.run("second", message_history=first.all_messages())
        history = await message_history(backend, chat_id, user_id="u1")
        await agent.run("third", message_history=history)

        chat = await chats.load_chat(
            backend, Script(), chat_id, {"user_id": "u1"}, {"any_agent": True}
        )
        assert [message.text for message in await chat.messages()] == [
            "first", "one", "second", "two", "third", "three",
        ]  # fmt: skip
        assert dumped(script.requests[2])[:4] == dumped(history)

    async def test_a_run_is_stored_in_the_chat_it_is_given(self, backend: Backend) -> None:
        script = Script([say("one")], [say("two")])
        chat = await new_chat(backend, script, user_id="u1")
        await chat.ask("first")
        agent: Agent[None, str] = Agent(script)
        history = await message_history(backend, chat.id)
        capability = Persisted(backend, chat_id=chat.id, user_id="u1")
        await agent.run("second", message_history=history, capabilities=[capability])

        texts = [message.text for message in await chat.messages()]
        assert texts == ["first", "one", "second", "two"]

    async def test_a_chat_of_another_owner_is_not_found(self, backend: Backend) -> None:
        chat = await new_chat(backend, Script(), user_id="u1")
        agent: Agent[None, str] = Agent(Script())
        with pytest.raises(ChatNotFound):
            await agent.run("Hi", capabilities=[Persisted(backend, chat_id=chat.id, user_id="u2")])
        with pytest.raises(ChatNotFound):
            await agent.run(
                "Hi", conversation_id=str(chat.id), capabilities=[Persisted(backend, user_id="u2")]
            )
        with pytest.raises(ChatNotFound):
            await message_history(backend, chat.id, user_id="u2")

    async def test_a_failing_model_raises_its_own_error_and_leaves_its_rows(
        self, backend: Backend
    ) -> None:
        error = ModelHTTPError(400, "script", {"error": {"message": "no"}})
        chat = await new_chat(backend, Script())
        agent = Agent(Script([say("Half"), fail(error)]))

        with pytest.raises(ModelHTTPError) as failure:
            await agent.run("Hi!", capabilities=[Persisted(backend, chat_id=chat.id)])

        assert failure.value is error
        answered = (await chat.messages())[-1]
        assert (answered.status, answered.text) == ("failed", "Half")
        (request,) = await chat.requests()
        assert (request.status, request.http_status) == ("failed", 400)
        run = await backend.store.get_run(chat.id, answered.run_id or chat.id)
        assert run is not None
        assert run.status == "failed"

    async def test_a_failing_tool_raises_its_own_error_and_leaves_its_rows(
        self, backend: Backend
    ) -> None:
        def broken() -> str:
            msg = "no luck"
            raise ValueError(msg)

        chat = await new_chat(backend, Script())
        agent = Agent(Script([call("broken", "c1")]), tools=[broken])
        with pytest.raises(ValueError, match="no luck"):
            await agent.run("Hi!", capabilities=[Persisted(backend, chat_id=chat.id)])

        (row,) = await chat.tool_calls()
        assert (row.status, row.error) == ("failed", "ValueError: no luck")
        assert await chat.active_run() is None

    async def test_a_cancelled_agent_keeps_its_partial_answer(self, backend: Backend) -> None:
        chat = await new_chat(backend, Script())
        agent = Agent(Script([say("Half"), hang()]))
        running = asyncio.create_task(
            agent.run("Hi!", capabilities=[Persisted(backend, chat_id=chat.id)])
        )
        await until(lambda: has_journal(backend, chat))
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

        answered = (await chat.messages())[-1]
        assert (answered.status, answered.text) == ("interrupted", "Half")
        assert await chat.active_run() is None

    @pytest.mark.parametrize("place", ["here", "elsewhere"])
    async def test_a_run_of_an_agent_is_followed_and_stopped(
        self, backend: Backend, elsewhere: Backend, place: str
    ) -> None:
        chat = await new_chat(backend, Script())
        agent = Agent(Script([say("Half"), hang()]))
        running = asyncio.create_task(
            agent.run("Hi!", capabilities=[Persisted(backend, chat_id=chat.id)])
        )
        await until(lambda: has_journal(backend, chat))
        other = await load(backend if place == "here" else elsewhere, chat, Script())

        stream = other.follow()
        assert (await anext(stream)).text == "Half"
        assert await other.stop()
        with pytest.raises(RunInterrupted):
            await stream
        with pytest.raises(RunInterrupted):
            await asyncio.wait_for(running, 5)
        answered = await ended_answer(chat)
        assert (answered.status, answered.text) == ("interrupted", "Half")

    async def test_a_tool_of_an_agent_is_stopped(self, backend: Backend) -> None:
        started = asyncio.Event()

        async def forever() -> None:
            started.set()
            await asyncio.Event().wait()

        chat = await new_chat(backend, Script())
        agent = Agent(Script([call("forever", "c1")]), tools=[forever])
        running = asyncio.create_task(
            agent.run("Hi!", capabilities=[Persisted(backend, chat_id=chat.id)])
        )
        await asyncio.wait_for(started.wait(), 5)
        await chat.stop()

        with pytest.raises(RunInterrupted):
            await asyncio.wait_for(running, 5)
        assert [row.status for row in await chat.tool_calls()] == ["interrupted"]

    async def test_one_run_at_a_time_is_for_agents_too(self, backend: Backend) -> None:
        chat = await new_chat(backend, Script([say("one"), hang()]))
        stream = chat.stream("first")
        await anext(stream)
        agent: Agent[None, str] = Agent(Script())
        with pytest.raises(ChatBusy):
            await agent.run("second", capabilities=[Persisted(backend, chat_id=chat.id)])
        await chat.stop()

    async def test_one_capability_serves_many_runs_at_once(self, backend: Backend) -> None:
        script = Script(*([say("a ", "b", pause=0.02)] for _ in range(4)))
        agent = Agent(script, capabilities=[Persisted(backend)])
        results = await asyncio.gather(*(agent.run(f"question {n}") for n in range(4)))

        for n, result in enumerate(results):
            texts = [it.text for it in await (await recorded(backend, result)).messages()]
            assert texts == [f"question {n}", "a b"]

    async def test_an_agent_whose_events_are_read_is_recorded(self, backend: Backend) -> None:
        script = Script([call("add", "c1", a=1, b=2)], [say("th", "ree")])
        agent = Agent(script, tools=[add], capabilities=[Persisted(backend)])
        conversation = str(new_id())
        async with agent.iter("1 + 2?", conversation_id=conversation) as run:
            async for node in run:
                if Agent.is_model_request_node(node):
                    async with node.stream(run.ctx) as events:
                        async for _ in events:
                            pass

        chat = await chats.load_chat(backend, Script(), conversation, {}, {"any_agent": True})
        assert [message.text for message in await chat.messages()][-1] == "three"
        assert [it.status for it in await chat.requests()] == ["complete", "complete"]

    async def test_an_agent_left_in_the_middle_is_interrupted(self, backend: Backend) -> None:
        script = Script([call("add", "c1", a=1, b=2)], [say("three")])
        agent = Agent(script, tools=[add], capabilities=[Persisted(backend)])
        conversation = str(new_id())
        async with agent.iter("1 + 2?", conversation_id=conversation) as run:
            async for node in run:
                if Agent.is_call_tools_node(node):
                    break

        chat = await chats.load_chat(backend, Script(), conversation, {}, {"any_agent": True})
        assert await chat.active_run() is None
        assert [row.status for row in await chat.tool_calls()] == ["interrupted"]

    @pytest.mark.parametrize(
        ("decision", "status", "paid"), [(True, "complete", [5]), (ToolDenied("No"), "denied", [])]
    )
    async def test_an_agent_that_waits_for_approval_is_parked(
        self, backend: Backend, decision: Any, status: str, paid: list[int]
    ) -> None:
        done: list[int] = []
        tool = Tool(paying(done), requires_approval=True)
        script = Script([call("pay", "c1", n=5)], [say("well")])
        agent = Agent(
            script,
            tools=[tool],
            output_type=[str, DeferredToolRequests],
            capabilities=[Persisted(backend)],
        )
        first = await agent.run("Pay 5")
        chat = await recorded(backend, first)
        parked = await chat.active_run()
        assert parked is not None
        assert parked.status == "parked"

        await agent.run(
            message_history=first.all_messages(),
            deferred_tool_results=DeferredToolResults(approvals={"c1": decision}),
        )

        assert done == paid
        assert [row.status for row in await chat.tool_calls()] == [status]
        assert (await chat.messages())[-1].text == "well"
        assert await chat.active_run() is None

    async def test_hooks_are_heard_in_an_agents_run(self, backend: Backend) -> None:
        class Louder(Hook):
            def before_request(self, sending: Sending) -> Sending:
                return sending.changed(lambda text: text.text.upper())

        script = Script([say("ok")])
        agent = Agent(script, capabilities=[Persisted(backend, hooks=[Louder()])])
        result = await agent.run("hello")

        assert "HELLO" in str(dumped(script.requests[0]))
        assert (await (await recorded(backend, result)).messages())[0].text == "hello"

    async def test_the_capability_of_a_run_goes_before_the_agents(self, backend: Backend) -> None:
        chat = await new_chat(backend, Script())
        agent = Agent(Script([say("one")]), capabilities=[Persisted(backend)])
        result = await agent.run("first", capabilities=[Persisted(backend, chat_id=chat.id)])

        assert [message.text for message in await chat.messages()] == ["first", "one"]
        with pytest.raises(ChatNotFound):
            await recorded(backend, result)

    async def test_a_chat_with_such_an_agent_is_recorded_once(self, backend: Backend) -> None:
        user = str(new_id())
        agent = Agent(Script([say("one")]), capabilities=[Persisted(backend, user_id=user)])
        chat = await new_chat(backend, agent, user_id=user)
        await chat.ask("first")

        found = await chats.list_chats(backend, limit=9, before=None, scope={"user_id": user})
        assert [it.id for it in found] == [chat.id]
        assert len(await chat.requests()) == 1

    async def test_an_agent_called_by_a_tool_is_recorded_by_itself(self, backend: Backend) -> None:
        inner = Agent(Script([say("42")]), capabilities=[Persisted(backend)])
        results: list[AgentRunResult[str]] = []

        async def delegate() -> str:
            results.append(await inner.run("The answer?"))
            return results[0].output

        script = Script([call("delegate", "c1")], [say("It is 42")])
        chat = await new_chat(backend, script, tools=[delegate])
        await chat.ask("What is it?")

        texts = [it.text for it in await (await recorded(backend, results[0])).messages()]
        assert texts == ["The answer?", "42"]
        assert len(await chat.requests()) == 2

    async def test_an_unknown_column_is_named(self, backend: Backend) -> None:
        with pytest.raises(TypeError, match="shoe_size"):
            Persisted(backend, shoe_size=43)
