"""What hooks see and change, and what the rows then hold."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from pydantic_ai.exceptions import ModelHTTPError
from pydantic_ai.messages import ModelMessage, ModelRequest, ToolReturnPart

from chatrecord.errors import HookFailed, NothingToResume, ProviderError, Refused, RunInterrupted
from chatrecord.hooks import (
    Answered,
    Hook,
    Replaced,
    RunEnd,
    Sending,
    Text,
    ToolUse,
    ToolUsed,
    Veto,
)
from chatrecord.runs.process import Backend
from chatrecord.testing.look import dumped, load, new_chat, spoken
from chatrecord.testing.script import Script, call, fail, hang, say

from .shared import add, kinds_of, paying


class Louder(Hook):
    """Changes every text that is sent."""

    def before_request(self, sending: Sending) -> Sending:
        return sending.changed(lambda text: text.text.upper())


class Watching(Hook):
    """Notes each call, with what it gets."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.sent: list[Sending] = []
        self.answers: list[Answered] = []
        self.ends: list[RunEnd] = []

    async def before_request(self, sending: Sending) -> None:
        self.events.append("before_request")
        self.sent.append(sending)

    def after_response(self, answered: Answered) -> None:
        self.events.append("after_response")
        self.answers.append(answered)

    async def before_tool(self, use: ToolUse) -> None:
        self.events.append(f"before {use.name} {dict(use.arguments)}")

    def after_tool(self, used: ToolUsed) -> None:
        self.events.append(f"after {used.name} {used.result}")

    async def on_run_end(self, end: RunEnd) -> None:
        self.events.append(f"run {end.status}")
        self.ends.append(end)


class Raising(Hook):
    """Raises at one of the moments."""

    def __init__(self, moment: str, error: BaseException) -> None:
        self.moment, self.error = moment, error

    def _at(self, moment: str) -> None:
        if moment == self.moment:
            raise self.error

    def before_request(self, sending: Sending) -> None:
        self._at("before_request")

    async def after_response(self, answered: Answered) -> None:
        self._at("after_response")

    def before_tool(self, use: ToolUse) -> None:
        self._at("before_tool")

    async def after_tool(self, used: ToolUsed) -> None:
        self._at("after_tool")

    def on_run_end(self, end: RunEnd) -> None:
        self._at("on_run_end")


class Vetoing(Hook):
    async def before_tool(self, use: ToolUse) -> Veto:
        return Veto(f"No {use.name} on Sundays")


class Doubling(Hook):
    def before_tool(self, use: ToolUse) -> Mapping[str, Any]:
        return {name: value * 2 for name, value in use.arguments.items()}


class Rounding(Hook):
    def __init__(self, *, in_row: bool) -> None:
        self.in_row = in_row

    async def after_tool(self, used: ToolUsed) -> Replaced:
        return Replaced(round(used.result, -1), in_row=self.in_row)


class HooksAreCalled:
    """What hooks see and change, and what the rows then hold."""

    async def test_what_a_hook_changes_is_sent_and_the_rows_stay(self, backend: Backend) -> None:
        def look(what: str) -> dict[str, Any]:
            return {"found": [what, {"deep key": "deep value", "n": 7}]}

        script = Script(
            [say("let us see"), call("look", "c1", what="nearby")], [say("done")], [say("on")]
        )
        chat = await new_chat(
            backend, script, tools=[look], instructions="be kind", hooks=[Louder()]
        )
        await chat.ask("question")
        loaded = await load(backend, chat, script, tools=[look], hooks=[Louder()])
        await loaded.ask("another")

        sent = str(dumped(script.requests[2]))
        for text in (
            "QUESTION",
            "LET US SEE",
            "NEARBY",
            "DEEP KEY",
            "DEEP VALUE",
            "DONE",
            "ANOTHER",
        ):
            assert text in sent
            assert text.lower() not in sent
        for request in script.requests:
            assert isinstance(request[-1], ModelRequest)
            assert request[-1].instructions == "BE KIND"
        stored = str([message.content for message in await chat.messages()])
        assert "question" in stored
        assert "deep value" in stored
        assert not any(word in stored for word in ("QUESTION", "DEEP", "NEARBY", "BE KIND"))
        (row,) = await chat.tool_calls()
        assert row.arguments == {"what": "nearby"}, "the tool got what the model gave"

    async def test_hooks_are_called_at_every_moment_in_order(self, backend: Backend) -> None:
        hook = Watching()
        script = Script([call("add", a=1, b=2)], [say("three")])
        chat = await new_chat(backend, script, tools=[add], hooks=[hook])
        reply = await chat.ask("1 + 2?")

        assert hook.events == [
            "before_request",
            "after_response",
            "before add {'a': 1, 'b': 2}",
            "after add 3",
            "before_request",
            "after_response",
            "run complete",
        ]
        assert [sending.is_first for sending in hook.sent] == [True, False]
        assert Text("user", "1 + 2?") in hook.sent[0].texts
        assert Text("tool_result", "3") in hook.sent[1].texts
        assert [it.request.id for it in hook.answers] == [it.id for it in await chat.requests()]
        (end,) = hook.ends
        assert (end.run_id, end.text, end.error) == (reply.run_id, "three", None)
        assert end.reply is not None
        assert end.reply.usage == reply.usage

    async def test_each_hook_gets_what_the_one_before_has_made(self, backend: Backend) -> None:
        hook = Watching()
        chat = await new_chat(backend, Script([say("ok")]), hooks=[Louder(), hook])
        await chat.ask("hello")

        assert hook.sent[0].texts == (Text("user", "HELLO"),)
        assert hook.sent[0].prompt == "hello"

    async def test_a_hook_may_change_the_messages_themselves(self, backend: Backend) -> None:
        class Forgetful(Hook):
            def before_request(self, sending: Sending) -> None:
                messages: list[ModelMessage] = sending.messages
                del messages[:-1]

        script = Script([say("one")], [say("two")])
        chat = await new_chat(backend, script, hooks=[Forgetful()])
        await chat.ask("first")
        await chat.ask("second")

        assert spoken(script.requests[1]) == [("user", "second")]
        texts = [message.text for message in await chat.messages()]
        assert texts == ["first", "one", "second", "two"]

    @pytest.mark.parametrize(
        "moment", ["before_request", "after_response", "before_tool", "after_tool", "on_run_end"]
    )
    async def test_what_a_hook_raises_ends_the_run(self, backend: Backend, moment: str) -> None:
        error = ValueError("no luck")
        script = Script([say("Let me. "), call("add", "c1", a=1, b=2)], [say("3")])
        chat = await new_chat(backend, script, tools=[add], hooks=[Raising(moment, error)])

        with pytest.raises(HookFailed) as failure:
            await asyncio.wait_for(chat.ask("1 + 2?"), 5)

        assert str(failure.value) == f"Raising.{moment} raised ValueError: no luck"
        assert failure.value.__cause__ is error
        run = await backend.store.get_run(chat.id, failure.value.run_id or chat.id)
        assert run is not None
        assert (run.status, run.error) == ("failed", f"HookFailed: {failure.value}")
        assert not any(row.status in ("pending", "running") for row in await chat.tool_calls())
        later = Script([say("well")])
        assert (await (await load(backend, chat, later)).ask("Go on")).text == "well"

    @pytest.mark.parametrize("moment", ["before_request", "before_tool", "on_run_end"])
    async def test_no_exception_of_a_hook_leaves_the_run_open(
        self, backend: Backend, moment: str
    ) -> None:
        script = Script([call("add", a=1, b=2)], [say("3")])
        hooks = [Raising(moment, SystemExit(1))]
        chat = await new_chat(backend, script, tools=[add], hooks=hooks)

        with pytest.raises(HookFailed):
            await asyncio.wait_for(chat.ask("1 + 2?"), 20)

        assert await chat.active_run() is None

    async def test_a_hook_that_returns_nonsense_is_named(self, backend: Backend) -> None:
        class Odd(Hook):
            def before_request(self, sending: Sending) -> Sending:
                return "sent"  # type: ignore[return-value]

        chat = await new_chat(backend, Script(), hooks=[Odd()])

        with pytest.raises(HookFailed, match=r"Odd.before_request .* returned str, not Sending"):
            await chat.ask("Hi!")

    async def test_a_hook_that_fails_before_a_request_leaves_no_request(
        self, backend: Backend
    ) -> None:
        hooks = [Raising("before_request", ValueError("no"))]
        chat = await new_chat(backend, Script(), hooks=hooks)
        with pytest.raises(HookFailed):
            await chat.ask("Hi!")

        assert await chat.requests() == []
        assert [message.text for message in await chat.messages()] == ["Hi!", ""]

    async def test_failed_attempts_are_reported_with_their_error(self, backend: Backend) -> None:
        hook = Watching()
        error = ModelHTTPError(429, "script", {"message": "slow down"})
        chat = await new_chat(
            backend, Script([fail(error)], [say("Here")]), retries=1, hooks=[hook]
        )
        await chat.ask("Hi!")

        failed, answered = hook.answers
        assert (failed.request.status, answered.request.status) == ("failed", "complete")
        assert isinstance(failed.error, ProviderError)
        assert answered.error is None
        assert answered.message.text == "Here"

    async def test_the_end_of_a_failed_run_is_reported_once(self, backend: Backend) -> None:
        hook = Watching()
        script = Script([say("Half"), fail(RuntimeError("cut"))])
        chat = await new_chat(backend, script, retries=0, hooks=[hook])
        with pytest.raises(ProviderError) as failure:
            await chat.ask("Hi!")

        (end,) = hook.ends
        assert (end.status, end.text, end.reply) == ("failed", "Half", None)
        assert end.error is failure.value
        assert [request.status for request in end.requests] == ["failed"]

    async def test_the_end_of_a_stopped_run_is_reported(self, backend: Backend) -> None:
        hook = Watching()
        chat = await new_chat(backend, Script([say("one "), hang()]), hooks=[hook])
        stream = chat.stream("count")
        await anext(stream)
        await chat.stop()
        with pytest.raises(RunInterrupted):
            await stream

        assert [(end.status, end.text) for end in hook.ends] == [("interrupted", "one ")]
        assert hook.answers == []

    async def test_a_vetoed_tool_does_not_run_and_the_model_is_told(self, backend: Backend) -> None:
        script = Script([call("pay", "c1", n=5)], [say("sorry")], [say("on")])
        paid: list[int] = []

        chat = await new_chat(backend, script, tools=[paying(paid)], hooks=[Vetoing()])
        chunks = [chunk async for chunk in chat.stream("1 + 2?")]

        (row,) = await chat.tool_calls()
        assert (row.status, row.error, row.result) == ("denied", "No pay on Sundays", None)
        assert (row.arguments, paid) == ({"n": 5}, [])
        assert kinds_of(chunks) == ["tool_call", "tool_result", "text"]
        (part,) = script.requests[1][-1].parts
        assert isinstance(part, ToolReturnPart)
        assert "No pay on Sundays" in str(part.content)
        assert part.outcome == "denied"
        loaded = await load(backend, chat, script)
        await loaded.ask("And now?")
        assert "No pay on Sundays" in str(dumped(script.requests[2]))

    async def test_the_row_shows_the_arguments_that_ran(self, backend: Backend) -> None:
        script = Script([call("add", "c1", a=1, b=2)], [say("six")])
        chat = await new_chat(backend, script, tools=[add], hooks=[Doubling()])
        await chat.ask("1 + 2?")

        (row,) = await chat.tool_calls()
        assert (row.arguments, row.result) == ({"a": 2, "b": 4}, 6)
        _, asked, *_ = await chat.messages()
        assert '{"a": 1, "b": 2}' in str(asked.content), "the message keeps the model's own"

    @pytest.mark.parametrize(("in_row", "kept"), [(False, 13), (True, 10)])
    async def test_a_replaced_result_is_what_the_model_gets(
        self, backend: Backend, in_row: bool, kept: int
    ) -> None:
        script = Script([call("add", "c1", a=6, b=7)], [say("ten")], [say("on")])
        hooks = [Rounding(in_row=in_row)]
        chat = await new_chat(backend, script, tools=[add], hooks=hooks)
        await chat.ask("6 + 7?")
        await (await load(backend, chat, script)).ask("Sure?")

        (row,) = await chat.tool_calls()
        assert (row.status, row.result) == ("complete", kept)
        for request in script.requests[1:]:
            results = [part for message in request for part in message.parts
                       if isinstance(part, ToolReturnPart)]  # fmt: skip
            assert [part.content for part in results] == [10]

    async def test_what_was_refused_is_kept_and_not_sent_again(self, backend: Backend) -> None:
        class Strict(Hook):
            def after_response(self, answered: Answered) -> None:
                if "bad" in answered.message.text:
                    msg = "Bad words"
                    raise Refused(msg)

        script = Script([say("a bad answer")], [say("fine")])
        chat = await new_chat(backend, script, hooks=[Strict()])
        with pytest.raises(Refused, match="Bad words") as refusal:
            await chat.ask("First")

        assert refusal.value.text == ""
        assert [message.text for message in await chat.messages()] == ["First", "a bad answer"]
        with pytest.raises(NothingToResume):
            await chat.resume()
        await chat.ask("Second")
        assert spoken(script.requests[1]) == [("user", "Second")]

    async def test_a_refusal_elsewhere_is_a_refusal_without_its_text(
        self, backend: Backend, elsewhere: Backend
    ) -> None:
        hooks = [Raising("after_response", Refused("Bad words"))]
        chat = await new_chat(backend, Script([say("a bad answer")]), hooks=hooks)
        with pytest.raises(Refused) as refusal:
            await chat.ask("First")

        following = (await load(elsewhere, chat, Script())).follow(refusal.value.run_id)
        with pytest.raises(Refused, match="Bad words") as events:
            await following
        assert events.value.text == ""

    async def test_only_hooks_are_taken(self, backend: Backend) -> None:
        with pytest.raises(TypeError, match=r"instances of chatrecord\.hooks\.Hook"):
            await new_chat(backend, Script(), hooks=[Louder])  # type: ignore[list-item]
