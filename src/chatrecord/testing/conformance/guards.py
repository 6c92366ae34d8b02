"""Limits, each checked before more is spent."""

from __future__ import annotations

import pytest

from chatrecord.errors import (
    RunError,
    StepLimitExceeded,
    TimeLimitExceeded,
    TokenLimitExceeded,
    ToolCallLimitExceeded,
)
from chatrecord.runs.process import Backend
from chatrecord.spending.limits import Limits
from chatrecord.testing.look import answered_calls, new_chat
from chatrecord.testing.script import Script, call, fail, hang, say

from .shared import add


class GuardsHold:
    """Limits, each checked before more is spent."""

    async def test_too_many_steps_are_refused_before_the_request(self, backend: Backend) -> None:
        script = Script([call("add", a=1, b=2)], [call("add", a=3, b=4)])
        chat = await new_chat(backend, script, tools=[add], limits=Limits(steps=1))

        with pytest.raises(StepLimitExceeded):
            await chat.ask("Add")

        assert len(script.requests) == 1
        assert len(await chat.requests()) == 1

    async def test_too_many_tool_calls_are_refused_before_any_runs(self, backend: Backend) -> None:
        ran: list[int] = []
        script = Script([call("note", n=1), call("note", n=2)], [say("fine")])

        def note(n: int) -> None:
            ran.append(n)

        chat = await new_chat(backend, script, tools=[note], limits=Limits(tool_calls=1))

        with pytest.raises(ToolCallLimitExceeded):
            await chat.ask("Note")

        assert ran == []
        assert [row.status for row in await chat.tool_calls()] == ["interrupted", "interrupted"]
        await chat.ask("Go on")
        assert len(answered_calls(script.requests[-1])) == 2

    async def test_tokens_of_the_chat_are_counted_over_its_runs(self, backend: Backend) -> None:
        script = Script([say("a")], [say("b")])
        chat = await new_chat(backend, script, limits=Limits(chat_tokens=60))
        await chat.ask("one")

        with pytest.raises(TokenLimitExceeded):
            await chat.ask("x" * 100)

        assert len(script.requests) == 1
        assert len(await chat.requests()) == 1, "a request that was never sent has no row"

    async def test_a_run_that_takes_too_long_keeps_what_has_come(self, backend: Backend) -> None:
        script = Script([say("so far"), hang()])
        chat = await new_chat(backend, script, limits=Limits(total_timeout=0.8))

        with pytest.raises(TimeLimitExceeded):
            await chat.ask("Hurry")

        answered = (await chat.messages())[-1]
        assert (answered.status, answered.text) == ("interrupted", "so far")

    async def test_every_error_of_a_run_names_it(self, backend: Backend) -> None:
        chat = await new_chat(backend, Script([fail(RuntimeError("x"))]), retries=0)

        with pytest.raises(RunError) as failure:
            await chat.ask("Hi!")

        assert failure.value.run_id == (await chat.messages())[-1].run_id
