"""Calls of tools, good and bad."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from pydantic_ai import Agent, ModelRetry

from chatrecord.errors import ToolFailed
from chatrecord.runs.process import Backend
from chatrecord.testing.look import answered_calls, has_no_running_tool, new_chat, text_of, until
from chatrecord.testing.script import Script, call, say

from .shared import AWKWARD, PARSABLE, Odd, add, kinds_of


class ToolsAreRecorded:
    """Calls of tools, good and bad."""

    async def test_a_tool_call_is_a_row_before_it_runs_and_its_result_after(
        self, backend: Backend
    ) -> None:
        before: list[Any] = []

        async def look(what: str) -> dict[str, Any]:
            before.extend(await chat.tool_calls())
            return {"seen": what, "deep": [1.5, None, {"ok": True}]}

        script = Script([say("Let me see."), call("look", "c1", what=PARSABLE)], [say("Done")])
        chat = await new_chat(backend, script, tools=[look])
        reply = await chat.ask("Look!")

        (running,) = before
        assert (running.status, running.name, running.call_id) == ("running", "look", "c1")
        assert running.arguments == {"what": PARSABLE}
        (done,) = await chat.tool_calls()
        assert (done.id, done.status, done.error) == (running.id, "complete", None)
        assert done.result == {"seen": PARSABLE, "deep": [1.5, None, {"ok": True}]}
        assert done.duration_ms is not None
        assert done.duration_ms >= 0
        assert reply.tool_calls == (done,)
        roles = [message.role for message in await chat.messages()]
        assert roles == ["user", "assistant", "tool", "assistant"]

    async def test_a_stream_tells_of_tools_in_their_place(self, backend: Backend) -> None:
        script = Script([say("Let me add."), call("add", a=1, b=2)], [say("3")])
        chat = await new_chat(backend, script, tools=[add])

        chunks = [chunk async for chunk in chat.stream("1 + 2?")]

        assert kinds_of(chunks) == ["text", "tool_call", "tool_result", "text"]
        called, returned = (chunk.tool_call for chunk in chunks if chunk.tool_call is not None)
        assert (called.arguments, returned.result) == ({"a": 1, "b": 2}, 3)
        assert text_of(chunks) == "Let me add.3"

    async def test_two_tools_run_side_by_side_each_with_its_row(self, backend: Backend) -> None:
        both = asyncio.Barrier(2)

        async def wait_for_the_other(name: str) -> str:
            await asyncio.wait_for(both.wait(), 5)
            return f"{name} was here"

        calls = [call("wait_for_the_other", name=name) for name in ("ann", "bob")]
        chat = await new_chat(backend, Script(calls, [say("ok")]), tools=[wait_for_the_other])
        await chat.ask("Both!")

        rows = await chat.tool_calls()
        assert [row.result for row in rows] == ["ann was here", "bob was here"]

    async def test_a_tool_that_raises_ends_the_run_and_the_chat_continues(
        self, backend: Backend
    ) -> None:
        def broken() -> str:
            msg = f"no luck {AWKWARD}"
            raise ValueError(msg)

        script = Script([call("add", "c1", a=1, b=2), call("broken", "c2")], [say("well")])
        chat = await new_chat(backend, script, tools=[add, broken])

        with pytest.raises(ToolFailed) as failure:
            await chat.ask("Try")

        assert isinstance(failure.value.__cause__, ValueError)
        rows = {row.name: row for row in await chat.tool_calls()}
        assert rows["broken"].status == "failed"
        assert f"no luck {AWKWARD}" in str(rows["broken"].error)
        await chat.ask("Never mind")
        assert answered_calls(script.requests[-1]) == ["c1", "c2"]

    async def test_a_tools_refusal_is_sent_to_the_model_and_stored(self, backend: Backend) -> None:
        def picky(n: int) -> int:
            if n < 1:
                msg = "n must be positive"
                raise ModelRetry(msg)
            return n

        script = Script([call("picky", n=0)], [call("picky", n=1)], [say("ok")])
        chat = await new_chat(backend, script, tools=[picky])
        await chat.ask("Pick")

        refused, done = await chat.tool_calls()
        assert (refused.status, refused.error) == ("failed", "n must be positive")
        assert (done.status, done.result) == ("complete", 1)

    async def test_a_call_that_no_tool_can_take_is_a_row_too(self, backend: Backend) -> None:
        script = Script(
            [call("nothing_like_it", x=1), call("add", arguments='{"a": "x"'), call("add", a="x")],
            [say("sorry")],
        )
        chat = await new_chat(backend, script, tools=[add])
        await chat.ask("Try")

        unknown, broken, invalid = await chat.tool_calls()
        assert {unknown.status, broken.status, invalid.status} == {"failed"}
        assert "nothing_like_it" in str(unknown.error)
        assert broken.arguments == '{"a": "x"'
        assert invalid.arguments == {"a": "x"}

    async def test_a_tool_that_is_stopped_is_answered_as_interrupted(
        self, backend: Backend
    ) -> None:
        started = asyncio.Event()

        async def forever() -> None:
            started.set()
            await asyncio.Event().wait()

        script = Script([call("forever", "c1")], [say("fine")])
        chat = await new_chat(backend, script, tools=[forever], on_disconnect="stop")
        asking = asyncio.create_task(chat.ask("Run"))
        await asyncio.wait_for(started.wait(), 5)
        asking.cancel()
        await until(lambda: has_no_running_tool(chat))

        (row,) = await chat.tool_calls()
        assert (row.status, row.result) == ("interrupted", None)
        await chat.ask("And now?")
        assert answered_calls(script.requests[-1]) == ["c1"]

    async def test_an_output_type_is_returned_typed(self, backend: Backend) -> None:
        script = Script([call("final_result", response=42)], [say("again")])
        chat = await new_chat(backend, script)

        reply = await chat.ask("The answer?", output_type=int)

        assert reply.output == 42
        await chat.ask("Really?")
        assert answered_calls(script.requests[-1]), "the output tool's call is answered"

    @pytest.mark.parametrize(
        "error", [SystemExit(1), GeneratorExit(), asyncio.CancelledError(), Odd("odd")]
    )
    async def test_no_exception_of_a_tool_leaves_the_run_open(
        self, backend: Backend, error: BaseException
    ) -> None:
        async def leave() -> None:
            raise error

        chat = await new_chat(backend, Script([call("leave")], [say("on")]), tools=[leave])

        with pytest.raises(ToolFailed):
            await asyncio.wait_for(chat.ask("Leave"), 5)

        assert (await chat.tool_calls())[0].status == "failed"
        assert (await chat.ask("Go on")).text == "on"

    async def test_a_result_is_stored_before_it_is_delivered(self, backend: Backend) -> None:
        async def work(n: int) -> int:
            await asyncio.sleep(n * 0.002)
            return n

        calls = [call("work", f"c{n}", n=n) for n in range(8)]
        chat = await new_chat(backend, Script([say("Go. "), *calls], [say("done")]), tools=[work])

        async for chunk in chat.stream("Work"):
            if chunk.tool_call is not None:
                rows = {row.call_id: row for row in await chat.tool_calls()}
                row = rows[chunk.tool_call.call_id]
                assert row.status == "complete" or chunk.kind == "tool_call"

    async def test_an_agent_with_a_validator_answers(self, backend: Backend) -> None:
        agent = Agent(Script([say("a")]), name="checked")

        @agent.output_validator
        def check(output: str) -> str:
            return output + "!"

        chat = await new_chat(backend, agent)

        assert (await chat.ask("Hi!")).output == "a!"
