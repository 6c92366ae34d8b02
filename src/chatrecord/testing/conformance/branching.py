"""Earlier versions of questions and answers are kept, found and restored; chats are copied."""

from __future__ import annotations

import asyncio

import pytest

from chatrecord.attachments.attachment import Attachment
from chatrecord.chats.chat import Chat
from chatrecord.errors import ChatBusy, MessageNotFound, NothingToResume, ProviderError, Refused
from chatrecord.hooks import Moderate
from chatrecord.llm.tools import repeatable
from chatrecord.records import Message
from chatrecord.runs.process import Backend
from chatrecord.testing.look import answered_calls, load, new_chat, spoken
from chatrecord.testing.script import Script, call, fail, hang, say

from .shared import add


async def current(chat: Chat) -> list[str]:
    """What is sent to the model with the next question."""
    standing = [it for it in await chat.messages(200) if it.status != "superseded"]
    return [message.text for message in standing if message.text]


async def versions(chat: Chat, message: Message) -> list[tuple[str, bool]]:
    found = await chat.branches(message.id)
    return [(branch.message.text, branch.is_current) for branch in found]


async def with_text(chat: Chat, text: str) -> Message:
    (found,) = [message for message in await chat.messages(200) if message.text == text]
    return found


def script(*answers: str) -> Script:
    return Script(*([say(answer)] for answer in answers))


class BranchesAreKept:
    """Earlier versions are kept, found and restored."""

    async def test_all_versions_of_an_answer_are_found(self, backend: Backend) -> None:
        script = Script(
            [say("a0")], [call("add", a=1, b=2)], [say("first")], [say("second")],
            [fail(RuntimeError("cut"))], [say("third")],
        )  # fmt: skip
        chat = await new_chat(backend, script, tools=[add], retries=0)
        await chat.ask("q0")
        await chat.ask("q1")
        await chat.regenerate()
        with pytest.raises(ProviderError):
            await chat.regenerate()
        await chat.regenerate()

        expected = [("first", False), ("second", False), ("third", True)]
        for text in ("first", "second", "third"):
            assert await versions(chat, await with_text(chat, text)) == expected
        assert await versions(chat, await with_text(chat, "a0")) == [("a0", True)]
        assert await versions(chat, await with_text(chat, "q1")) == [("q1", True)]

    async def test_an_earlier_answer_comes_back_with_all_that_followed_it(
        self, backend: Backend
    ) -> None:
        script = Script(
            [say("a0")], [call("add", a=1, b=2)], [say("old")], [say("old 2")], [say("new")],
            [say("ok")], [say("ok 2")],
        )  # fmt: skip
        chat = await new_chat(backend, script, tools=[add])
        for n in range(3):
            await chat.ask(f"q{n}")
        await chat.regenerate((await with_text(chat, "q1")).id)
        assert await current(chat) == ["q0", "a0", "q1", "new"]

        await chat.restore((await with_text(chat, "old")).id)

        old = ["q0", "a0", "q1", "old", "q2", "old 2"]
        assert await current(chat) == old
        await chat.ask("q3")
        assert [text for _, text in spoken(script.requests[-1]) if text] == [*old, "q3"]
        assert len(answered_calls(script.requests[-1])) == 1

        await chat.restore((await with_text(chat, "new")).id)
        assert await current(chat) == ["q0", "a0", "q1", "new"]
        await chat.restore((await with_text(chat, "ok")).id)
        assert await current(chat) == [*old, "q3", "ok"]
        assert (await chat.usage()).requests == 6

    async def test_an_edited_question_comes_back(self, backend: Backend) -> None:
        chat = await new_chat(backend, script("a0", "a1", "b1", "c1", "d1"))
        await chat.ask("q0")
        await chat.ask("q1")
        await chat.edit((await with_text(chat, "q1")).id, "Q1")
        await chat.edit((await with_text(chat, "Q1")).id, "QQ1")

        expected = [("q1", False), ("Q1", False), ("QQ1", True)]
        for text, _ in expected:
            assert await versions(chat, await with_text(chat, text)) == expected
        assert await versions(chat, await with_text(chat, "b1")) == [("b1", False)]
        await chat.restore((await with_text(chat, "Q1")).id)
        assert await current(chat) == ["q0", "a0", "Q1", "b1"]
        await chat.regenerate()
        assert await versions(chat, await with_text(chat, "b1")) == [("b1", False), ("d1", True)]
        await chat.restore((await with_text(chat, "q1")).id)
        assert await current(chat) == ["q0", "a0", "q1", "a1"]
        await chat.restore((await with_text(chat, "Q1")).id)
        assert await current(chat) == ["q0", "a0", "Q1", "d1"]

    async def test_what_was_asked_after_a_restoration_is_of_its_branch(
        self, backend: Backend
    ) -> None:
        chat = await new_chat(backend, script("old", "new", "old 2", "new 2", "newer"))
        await chat.ask("q")
        await chat.regenerate()
        await chat.restore((await with_text(chat, "old")).id)
        await chat.ask("after old")
        await chat.restore((await with_text(chat, "new")).id)
        await chat.ask("after new")

        await chat.restore((await with_text(chat, "old")).id)
        assert await current(chat) == ["q", "old", "after old", "old 2"]
        await chat.restore((await with_text(chat, "new")).id)
        assert await current(chat) == ["q", "new", "after new", "new 2"]
        await chat.regenerate()
        assert await current(chat) == ["q", "new", "after new", "newer"]
        await chat.restore((await with_text(chat, "old 2")).id)
        assert await current(chat) == ["q", "old", "after old", "old 2"]

    async def test_a_partial_answer_comes_back_as_partial(self, backend: Backend) -> None:
        script = Script([say("par"), fail(RuntimeError("cut"))], [say("whole")], [say("ok")])
        chat = await new_chat(backend, script, retries=0)
        with pytest.raises(ProviderError):
            await chat.ask("q")
        await chat.regenerate()

        await chat.restore((await with_text(chat, "par")).id)

        statuses = {message.text: message.status for message in await chat.messages()}
        assert statuses == {"q": "complete", "par": "failed", "whole": "superseded"}
        with pytest.raises(NothingToResume):
            await chat.resume()
        await chat.ask("go on")
        assert [text for _, text in spoken(script.requests[-1])] == ["q", "par", "go on"]

    async def test_what_never_was_current_is_no_version(self, backend: Backend) -> None:
        script = Script([say("a")], [say("ne"), fail(RuntimeError("cut"))], [say("ok")])
        refusing = Moderate(prompts=lambda text: "no" if "secret" in text else None)
        chat = await new_chat(backend, script, retries=0, hooks=[refusing])
        await chat.ask("q")
        with pytest.raises(ProviderError):
            await chat.regenerate()
        with pytest.raises(Refused):
            await chat.ask("secret")

        for text in ("ne", "secret"):
            with pytest.raises(MessageNotFound):
                await chat.restore((await with_text(chat, text)).id)
        with pytest.raises(MessageNotFound):
            await chat.branches("nonsense")
        await chat.restore((await with_text(chat, "a")).id)  # it is current
        assert await current(chat) == ["q", "a"]

    async def test_nothing_is_restored_under_an_active_run(self, backend: Backend) -> None:
        chat = await new_chat(backend, Script([say("old")], [say("new")], [say("on"), hang()]))
        await chat.ask("q")
        await chat.regenerate()
        await anext(chat.stream("q2"))

        with pytest.raises(ChatBusy):
            await chat.restore((await with_text(chat, "old")).id)

        await chat.stop()
        assert (await current(chat))[:2] == ["q", "new"]

    async def test_a_resumed_run_comes_back_with_one_result_for_each_call(
        self, backend: Backend
    ) -> None:
        """What was written of the interrupted tool was replaced when it ran again."""
        started, goes_on = asyncio.Event(), asyncio.Event()

        @repeatable
        async def look_up(word: str) -> str:
            started.set()
            await goes_on.wait()
            return f"found {word}"

        calls = [call("add", "c1", a=1, b=2), call("look_up", "c2", word="x")]
        script = Script([say("Wait."), *calls], [say("old")], [say("new")], [say("ok")])
        chat = await new_chat(backend, script, tools=[add, look_up])
        asking = asyncio.create_task(chat.ask("q"))
        await started.wait()
        await chat.stop()
        await asyncio.gather(asking, return_exceptions=True)
        goes_on.set()
        assert (await chat.resume()).text == "old"
        await chat.regenerate()

        await chat.restore((await with_text(chat, "old")).id)

        await chat.ask("go on")
        assert sorted(answered_calls(script.requests[-1])) == ["c1", "c2"]
        assert "found x" in str(script.requests[-1])
        copy = await chat.fork((await with_text(chat, "Wait.")).id)
        assert [message.role for message in await copy.messages()].count("assistant") == 1


class ChatsAreForked:
    """A chat is copied up to a message."""

    async def test_a_copy_goes_on_by_itself(self, backend: Backend) -> None:
        script = Script(
            [say("a0")], [say("Let me add."), call("add", a=1, b=2)], [say("3")], [say("a2")],
            [say("b2")], [say("c2")],
        )  # fmt: skip
        chat = await new_chat(
            backend, script, user_id="u1", title="Sums", metadata={"team": "HR"}, tools=[add]
        )
        await chat.ask("q0", idempotency_key="k")
        await chat.ask(
            "q1",
            attachments=[Attachment(data=b"%PDF-", media_type="application/pdf", name="a.pdf")],
        )
        await chat.ask("q2")

        copy = await chat.fork((await with_text(chat, "3")).id)
        reply = await copy.ask("And now?")

        assert reply.text == "b2"
        said = [text for _, text in spoken(script.requests[-1])]
        assert (said[:2], said[-2:]) == (["q0", "a0"], ["3", "And now?"])
        assert "%PDF-" in said[2]
        assert copy.record.forked_from == chat.id
        assert copy.record.forked_at == (await with_text(chat, "3")).id
        assert (copy.title, copy.metadata) == ("Sums", {"team": "HR"})
        assert copy.record.columns == chat.record.columns
        assert [it.name for it in await copy.tool_calls()] == ["add"]
        assert (await copy.usage()).requests == 1, "what the original has cost counts there"
        (file,) = (await with_text(copy, "q1")).attachments
        assert (await copy.attachment(str(file.hash))).data == b"%PDF-"
        assert await current(chat) == ["q0", "a0", "q1", "Let me add.", "3", "q2", "a2"]
        loaded = await load(backend, copy, script)
        assert loaded.record.forked_from == chat.id
        assert (await copy.ask("q0", idempotency_key="k")).text == "c2"

    async def test_an_answer_with_calls_is_copied_with_their_results(
        self, backend: Backend
    ) -> None:
        script = Script([say("Let me add."), call("add", a=1, b=2)], [say("3")], [say("b")])
        chat = await new_chat(backend, script, tools=[add])
        await chat.ask("q")

        copy = await chat.fork((await with_text(chat, "Let me add.")).id)

        assert [message.role for message in await copy.messages()] == ["user", "assistant", "tool"]
        assert (await copy.ask("And?")).text == "b"

    async def test_a_copy_is_made_of_a_version_that_was_replaced(self, backend: Backend) -> None:
        chat = await new_chat(backend, script("a0", "old", "old 2", "new", "b"))
        for n in range(3):
            await chat.ask(f"q{n}")
        await chat.regenerate((await with_text(chat, "q1")).id)

        copy = await chat.fork((await with_text(chat, "old")).id, title="Other")

        assert await current(copy) == ["q0", "a0", "q1", "old"]
        assert {message.status for message in await copy.messages()} == {"complete"}
        assert (await copy.regenerate()).text == "b"
        assert await versions(copy, await with_text(copy, "b")) == [("old", False), ("b", True)]
        assert copy.title == "Other"

    async def test_the_whole_chat_is_copied_by_default(self, backend: Backend) -> None:
        chat = await new_chat(backend, script("old", "new"))
        empty = await chat.fork()
        assert await empty.messages() == []
        assert empty.record.forked_at is None
        await chat.ask("q")
        await chat.regenerate()

        copy = await chat.fork()

        assert await current(copy) == ["q", "new"]
        question = await chat.fork((await with_text(chat, "q")).id)
        assert await current(question) == ["q"]

    async def test_an_answer_that_is_being_written_is_not_copied(self, backend: Backend) -> None:
        chat = await new_chat(backend, Script([say("a")], [say("on"), hang()]))
        await chat.ask("q")
        await anext(chat.stream("q2"))

        copy = await chat.fork((await with_text(chat, "a")).id)
        assert await current(copy) == ["q", "a"]
        with pytest.raises(ChatBusy):
            await chat.fork((await with_text(chat, "q2")).id)

        await chat.stop()

    async def test_copies_are_made_at_once(self, backend: Backend) -> None:
        chat = await new_chat(backend, script("a"))
        await chat.ask("q")

        copies = await asyncio.gather(*(chat.fork() for _ in range(4)))

        assert len({copy.id for copy in copies}) == 4
        assert [await current(copy) for copy in copies] == [["q", "a"]] * 4
