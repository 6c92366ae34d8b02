"""Regenerate and edit."""

from __future__ import annotations

import asyncio

import pytest

from chatrecord.errors import MessageNotFound, NothingToResume, ProviderError
from chatrecord.runs.process import Backend
from chatrecord.store.window import Window
from chatrecord.testing.look import answered_calls, die, has_journal, load, new_chat, spoken, until
from chatrecord.testing.script import Script, call, fail, hang, meet, say

from .shared import add, read


class AnswersAreReplaced:
    """Regenerate and edit."""

    async def test_an_answer_is_regenerated_and_the_old_one_kept(self, backend: Backend) -> None:
        script = Script(
            [say("a0")], [call("add", a=1, b=2)], [say("old")], [say("new")], [say("ok")]
        )
        chat = await new_chat(backend, script, tools=[add])
        await chat.ask("q0")
        await chat.ask("q1")

        reply = await chat.regenerate()

        assert reply.text == "new"
        assert spoken(script.requests[-1]) == [("user", "q0"), ("assistant", "a0"), ("user", "q1")]
        assert [(message.text, message.status) for message in (await chat.messages())[2:]] == [
            ("q1", "complete"), ("", "superseded"), ("", "superseded"), ("old", "superseded"),
            ("new", "complete"),
        ]  # fmt: skip
        assert (await chat.usage()).requests == 4
        await chat.ask("q2")
        assert spoken(script.requests[-1])[2:] == [
            ("user", "q1"), ("assistant", "new"), ("user", "q2"),
        ]  # fmt: skip

    async def test_the_old_answer_is_current_until_the_new_one_is_stored(
        self, backend: Backend
    ) -> None:
        seen: list[tuple[str, str]] = []

        async def look() -> None:
            seen.extend((message.text, message.status) for message in await chat.messages())

        script = Script(
            [say("old")], [say("ne"), meet(look), fail(RuntimeError("cut"))], [say("ok")]
        )
        chat = await new_chat(backend, script, retries=0)
        await chat.ask("q")

        with pytest.raises(ProviderError):
            await chat.regenerate()

        with pytest.raises(NothingToResume, match="again"):
            await chat.resume()
        assert seen[:2] == [("q", "complete"), ("old", "complete")]
        assert [(message.text, message.status) for message in await chat.messages()] == [
            ("q", "complete"), ("old", "complete"), ("ne", "superseded"),
        ]  # fmt: skip
        await chat.ask("go on")
        assert spoken(script.requests[-1])[1] == ("assistant", "old")

    async def test_a_question_is_put_differently(self, backend: Backend) -> None:
        script = Script([say("a0")], [say("a1")], [say("a2")], [say("b1")], [say("ok")])
        chat = await new_chat(backend, script)
        for n in range(3):
            await chat.ask(f"q{n}")
        asked = (await chat.messages())[2]

        reply = await chat.edit(asked.id, "Q1")

        assert reply.text == "b1"
        assert spoken(script.requests[-1]) == [("user", "q0"), ("assistant", "a0"), ("user", "Q1")]
        standing = [m.text for m in await chat.messages() if m.status != "superseded"]
        assert standing == ["q0", "a0", "Q1", "b1"]
        assert len(await chat.messages()) == 8
        with pytest.raises(MessageNotFound):
            await chat.edit("nonsense", "What?")  # type: ignore[call-overload]
        with pytest.raises(MessageNotFound):
            await chat.edit(asked.id, "again")
        with pytest.raises(MessageNotFound):
            await chat.edit(reply.message_id, "an answer is no question")

    async def test_what_came_before_is_read_from_the_start_of_its_round(
        self, backend: Backend
    ) -> None:
        rounds = [[call("add", f"c{n}", a=n, b=n)] for n in range(4)]
        script = Script(*rounds, [say("8")], [say("old")], [say("new")])
        chat = await new_chat(backend, script, tools=[add], window=Window(messages=2))
        await chat.ask("Add")
        await chat.ask("Thanks")
        asked = (await chat.messages())[-2]

        await chat.edit(asked.id, "Thank you")

        assert spoken(script.requests[-1]) == [
            ("user", "Add"), ("assistant", "8"), ("user", "Thank you"),
        ]  # fmt: skip
        assert answered_calls(script.requests[-1]) == ["c0", "c1", "c2", "c3"]

    async def test_a_replacement_whose_process_died_replaces_nothing(
        self, backend: Backend, elsewhere: Backend
    ) -> None:
        chat = await new_chat(backend, Script([say("old")], [say("ne"), hang()]))
        await chat.ask("q")
        asking = asyncio.ensure_future(read(chat.regenerate()))
        await until(lambda: has_journal(backend, chat))
        await die(backend, chat)

        script = Script([say("ok")])
        twin = await load(elsewhere, chat, script)
        await twin.ask("go on")

        assert spoken(script.requests[-1]) == [
            ("user", "q"), ("assistant", "old"), ("user", "go on"),
        ]  # fmt: skip
        asking.cancel()

    async def test_a_replacement_that_died_over_a_tool_leaves_nothing_standing(
        self, backend: Backend, elsewhere: Backend
    ) -> None:
        started = asyncio.Event()

        async def forever() -> None:
            started.set()
            await asyncio.Event().wait()

        script = Script([say("old")], [say("Wait. "), call("forever", "c1")])
        chat = await new_chat(backend, script, tools=[forever])
        await chat.ask("q")
        asking = asyncio.ensure_future(read(chat.regenerate()))
        await asyncio.wait_for(started.wait(), 5)
        await die(backend, chat)

        twin = await load(elsewhere, chat, Script())

        standing = [m.text for m in await twin.messages() if m.status != "superseded"]
        assert standing == ["q", "old"]
        assert [row.status for row in await twin.tool_calls()] == ["interrupted"]
        asking.cancel()

    async def test_there_is_nothing_to_regenerate_in_an_empty_chat(self, backend: Backend) -> None:
        with pytest.raises(NothingToResume):
            await (await new_chat(backend, Script())).regenerate()
