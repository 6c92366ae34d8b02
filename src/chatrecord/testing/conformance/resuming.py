"""Resuming a run that failed, was interrupted or lost its process."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from pydantic_ai import Tool

from chatrecord.chats.chat import Chat
from chatrecord.errors import (
    ChatBusy,
    NothingToResume,
    ProviderError,
    RunError,
)
from chatrecord.llm.tools import repeatable
from chatrecord.runs.policies import OnBusy
from chatrecord.runs.process import Backend
from chatrecord.store.window import Window
from chatrecord.testing.look import (
    answered_calls,
    die,
    has_journal,
    load,
    new_chat,
    spoken,
    text_of,
    until,
)
from chatrecord.testing.script import Script, call, fail, hang, say

from .shared import add, paying, read


class RunsAreResumed:
    """Resuming a run that failed, was interrupted or lost its process."""

    async def test_an_interrupted_answer_is_regenerated(
        self, backend: Backend, elsewhere: Backend
    ) -> None:
        chat = await new_chat(
            backend, Script([say("Half an"), fail(RuntimeError("cut"))]), retries=0
        )
        with pytest.raises(ProviderError) as failure:
            await chat.ask("Hi!")

        script = Script([say("A whole answer")])
        twin = await load(elsewhere, chat, script)
        reply = await twin.resume()

        assert (reply.text, reply.run_id) == ("A whole answer", failure.value.run_id)
        assert spoken(script.requests[-1]) == [("user", "Hi!")]
        assert [(message.text, message.status) for message in await twin.messages()] == [
            ("Hi!", "complete"), ("Half an", "superseded"), ("A whole answer", "complete"),
        ]  # fmt: skip
        script.then([say("ok")])
        await twin.ask("Go on")
        assert spoken(script.requests[-1])[1] == ("assistant", "A whole answer")

    async def test_tools_that_have_run_are_not_run_again(
        self, backend: Backend, elsewhere: Backend
    ) -> None:
        ran: list[int] = []
        tools = [paying(ran)]
        script = Script([call("pay", "c1", n=5)], [fail(RuntimeError("cut"))])
        chat = await new_chat(backend, script, tools=tools, retries=0)
        with pytest.raises(ProviderError):
            await chat.ask("Pay")

        script = Script([say("Paid.")])
        twin = await load(elsewhere, chat, script, tools=tools)
        await twin.resume()

        assert ran == [5]
        assert answered_calls(script.requests[-1]) == ["c1"]
        assert [message.role for message in await twin.messages()] == [
            "user", "assistant", "tool", "assistant",
        ]  # fmt: skip

    async def test_a_run_is_resumed_whole_however_small_the_window(self, backend: Backend) -> None:
        rounds = [[call("add", f"c{n}", a=n, b=n)] for n in range(4)]
        script = Script(*rounds, [say("part"), fail(RuntimeError("cut"))], [say("whole")])
        window = Window(messages=2)
        chat = await new_chat(backend, script, tools=[add], window=window, retries=0)
        with pytest.raises(ProviderError):
            await chat.ask("Add")

        assert (await chat.resume()).text == "whole"

        assert spoken(script.requests[-1]) == [("user", "Add")]
        assert answered_calls(script.requests[-1]) == ["c0", "c1", "c2", "c3"]

    async def test_a_resumed_run_has_the_history_it_had(self, backend: Backend) -> None:
        """Answers that were generated again take no place in the window."""
        script = Script([say("old")], *([say(f"new {n}")] for n in range(4)))
        chat = await new_chat(backend, script, window=Window(messages=2), retries=0)
        await chat.ask("First")
        for _ in range(4):
            await chat.regenerate()
        script.then([say("part"), fail(RuntimeError("cut"))], [say("whole")])
        with pytest.raises(ProviderError):
            await chat.ask("Second")

        await chat.resume()

        assert spoken(script.requests[-1]) == spoken(script.requests[-2])
        assert spoken(script.requests[-1]) == [
            ("user", "First"), ("assistant", "new 3"), ("user", "Second"),
        ]  # fmt: skip

    async def test_a_regenerated_answer_is_parked_and_resumed_in_a_small_window(
        self, backend: Backend
    ) -> None:
        tools = [add, Tool(paying([]), requires_approval=True)]
        rounds = [[call("add", f"c{n}", a=n, b=n)] for n in range(3)]
        script = Script(*rounds, [say("old")], [call("pay", "c9", n=5)], [say("new")])
        chat = await new_chat(backend, script, tools=tools, window=Window(messages=2))
        await chat.ask("Pay")
        await chat.regenerate()
        await chat.approve("c9")

        assert (await chat.resume()).text == "new"

        assert spoken(script.requests[-1]) == [("user", "Pay")]
        assert answered_calls(script.requests[-1]) == ["c9"]

    @pytest.mark.parametrize("ended", ["killed", "stopped"])
    async def test_a_call_that_was_running_is_run_again_if_it_may_be(
        self, backend: Backend, elsewhere: Backend, ended: str
    ) -> None:
        ran: list[str] = []
        hangs = True

        async def look_up(word: str) -> str:
            ran.append(word)
            if hangs:
                await asyncio.Event().wait()
            return f"found {word}"

        async def buy(thing: str) -> str:
            ran.append(thing)
            await asyncio.Event().wait()
            return thing

        tools = [add, repeatable(look_up), buy]
        calls = [
            call("add", "c1", a=1, b=2),
            call("look_up", "c2", word="x"),
            call("buy", "c3", thing="y"),
        ]
        chat = await new_chat(backend, Script([say("Wait."), *calls]), tools=tools)
        asking = asyncio.create_task(chat.ask("Go"))
        await until(lambda: _are(chat, {"c1": "complete", "c2": "running", "c3": "running"}))
        while len(ran) < 2:  # noqa: ASYNC110 - a row says so before its tool runs
            await asyncio.sleep(0.01)
        if ended == "killed":
            await die(backend, chat)
        else:
            await chat.stop()
        hangs = False

        script = Script([say("Done.")], [say("Yes.")])
        twin = await load(elsewhere, chat, script, tools=tools)
        reply = await twin.resume()

        assert reply.text == "Done."
        assert ran == ["x", "y", "x"]
        assert await _are(twin, {"c1": "complete", "c2": "complete", "c3": "interrupted"})
        assert sorted(answered_calls(script.requests[-1])) == ["c1", "c2", "c3"]
        assert "found x" in str(script.requests[-1])
        await twin.ask("All done?")
        assert sorted(answered_calls(script.requests[-1])) == ["c1", "c2", "c3"]
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)

    @pytest.mark.parametrize("ends", ["raises", "stopped"])
    async def test_a_call_never_gets_a_second_result(self, backend: Backend, ends: str) -> None:
        started = asyncio.Event()

        async def pay(n: int) -> str:
            started.set()
            if ends == "raises":
                raise ZeroDivisionError
            await asyncio.Event().wait()
            return f"paid {n}"

        tools = [add, Tool(pay, requires_approval=True)]
        script = Script([call("add", "c1", a=1, b=2), call("pay", "c2", n=5)], [say("Well.")])
        chat = await new_chat(backend, script, tools=tools)
        await chat.ask("Pay")
        await chat.approve("c2")
        resuming = asyncio.create_task(read(chat.resume()))
        await started.wait()
        if ends == "stopped":
            await until(lambda: _are(chat, {"c1": "complete", "c2": "running"}))
            await chat.stop()
        with pytest.raises(RunError):
            await resuming

        assert (await chat.resume()).text == "Well."
        assert sorted(answered_calls(script.requests[-1])) == ["c1", "c2"]
        script.then([say("Yes.")])
        await chat.ask("Is that all?")
        assert sorted(answered_calls(script.requests[-1])) == ["c1", "c2"]

    async def test_a_result_that_speaks_of_another_call_stays(self, backend: Backend) -> None:
        hangs = asyncio.Event()

        @repeatable
        async def look_up(word: str) -> str:
            if not hangs.is_set():
                hangs.set()
                await asyncio.Event().wait()
            return f"found {word}"

        def note() -> str:
            return "see 'c1' and 'c2'"

        script = Script(
            [call("note", "c1")], [call("note", "c2")], [call("look_up", "c1", word="x")],
            [say("Done.")],
        )  # fmt: skip
        chat = await new_chat(backend, script, tools=[look_up, note])
        asking = asyncio.create_task(chat.ask("Go"))
        await hangs.wait()
        await chat.stop()

        await chat.resume()

        assert str(script.requests[-1]).count("see 'c1' and 'c2'") == 2
        assert "interrupted" not in str(script.requests[-1])
        with pytest.raises(RunError):
            await asking

    async def test_a_resumed_run_is_followed_from_its_beginning(self, backend: Backend) -> None:
        tools = [Tool(paying([]), requires_approval=True)]
        script = Script([say("Let me pay."), call("pay", "c1", n=5)], [say(" Paid", pause=0.3)])
        chat = await new_chat(backend, script, tools=tools)
        await chat.ask("Pay")
        await chat.approve("c1")
        resuming = asyncio.create_task(read(chat.resume()))
        await until(lambda: _are(chat, {"c1": "complete"}))

        assert text_of(await read(chat.follow())) == "Let me pay. Paid"
        assert text_of(await resuming) == " Paid"

    async def test_a_run_whose_process_died_is_resumed(
        self, backend: Backend, elsewhere: Backend
    ) -> None:
        chat = await new_chat(backend, Script([say("half"), hang()]))
        asking = asyncio.create_task(chat.ask("Hi!"))
        await until(lambda: has_journal(backend, chat))
        await die(backend, chat)

        twin = await load(elsewhere, chat, Script([say("whole")]))
        chunks = await read(twin.resume())

        assert text_of(chunks) == "whole"
        assert [message.status for message in await twin.messages()] == [
            "complete", "superseded", "complete",
        ]  # fmt: skip
        asking.cancel()

    async def test_there_is_nothing_to_resume_after_a_good_end(self, backend: Backend) -> None:
        chat = await new_chat(backend, Script([say("done")]))
        await chat.ask("Hi!")

        with pytest.raises(NothingToResume):
            await chat.resume()

    async def test_a_run_is_not_resumed_once_the_chat_has_gone_on(
        self, backend: Backend, elsewhere: Backend
    ) -> None:
        """Not even where the other question was asked and answered while the run was taken up."""
        chat = await new_chat(backend, Script([say("half"), fail(RuntimeError("cut"))]), retries=0)
        with pytest.raises(ProviderError) as failure:
            await chat.ask("Hi!")
        assert failure.value.run_id is not None
        broken = await backend.store.get_run(chat.id, failure.value.run_id)
        assert broken is not None
        twin = await load(elsewhere, chat, Script([say("Hello.")], [say("Bye.")]))
        await twin.ask("Hello?")

        later = datetime.now(UTC) + timedelta(seconds=30)
        with pytest.raises(NothingToResume, match="newer messages"):
            await backend.store.reopen(broken, owner="me", until=later)

        assert await backend.store.get_run(chat.id, broken.id) == broken
        assert (await twin.ask("Bye?")).text == "Bye."
        assert [message.text for message in await chat.messages()] == [
            "Hi!", "half", "Hello?", "Hello.", "Bye?", "Bye.",
        ]  # fmt: skip

    @pytest.mark.parametrize("on_busy", ["reject", "wait", "interrupt"])
    async def test_one_of_many_resumes_continues(
        self, backend: Backend, elsewhere: Backend, on_busy: OnBusy
    ) -> None:
        chat = await new_chat(backend, Script([fail(RuntimeError("cut"))]), retries=0)
        with pytest.raises(ProviderError):
            await chat.ask("Hi!")

        twins = [
            await load(elsewhere, chat, Script([say("on", pause=0.1)]), on_busy=on_busy)
            for _ in range(4)
        ]
        ends = await asyncio.gather(
            *(read(twin.resume()) for twin in twins), return_exceptions=True
        )

        assert sum(not isinstance(end, BaseException) for end in ends) == 1
        assert all(isinstance(end, list | ChatBusy) for end in ends)
        assert [message.text for message in await chat.messages()] == ["Hi!", "on"]


async def _are(chat: Chat, statuses: dict[str, str]) -> bool:
    """Whether this is what has become of the chat's tool calls."""
    return {row.call_id: row.status for row in await chat.tool_calls()} == statuses
