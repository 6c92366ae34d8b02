"""Questions that are submitted, and answered by workers."""

from __future__ import annotations

import asyncio
from typing import Literal
from uuid import UUID

import pytest
from pydantic_ai import BinaryContent, Tool
from pydantic_ai.messages import UserPromptPart

from chatrecord.attachments.attachment import Attachment
from chatrecord.chats.chat import Chat
from chatrecord.chats.working import work, work_on
from chatrecord.errors import (
    AnsweredElsewhere,
    ChatBusy,
    ProviderError,
    RunNotFound,
    RunStopped,
    SentBefore,
)
from chatrecord.ids import new_id
from chatrecord.records import ChatRecord, Reply, RunStatus
from chatrecord.runs.process import Backend
from chatrecord.testing.look import (
    has_journal,
    load,
    new_chat,
    spoken,
    until,
)
from chatrecord.testing.script import Script, call, fail, hang, say

from .shared import paying, read


async def answer(backend: Backend, run_id: UUID, llm: object, **options: object) -> Reply[object]:
    """What a worker of this process does."""
    return await work_on(backend, run_id, lambda _: (llm, options))


class WorkersAnswer:
    """Questions that are submitted, and answered by workers."""

    async def test_a_submitted_question_is_answered_in_another_process(
        self, backend: Backend, elsewhere: Backend
    ) -> None:
        chat = await new_chat(backend, Script(), user_id="ann", metadata={"team": "HR"})
        run_id = await chat.submit("How many days?")
        assert await chat.messages() == []
        (queued,) = await chat.runs(status="queued")
        assert (queued.id, queued.question_text) == (run_id, "How many days?")
        assert await chat.active_run() is None

        asked: list[ChatRecord] = []
        script = Script([say("Thirty")], [say("Yes")])

        async def llm_for(record: ChatRecord) -> object:
            asked.append(record)
            return script

        reply = await work_on(elsewhere, run_id, llm_for)

        assert (reply.run_id, reply.text) == (run_id, "Thirty")
        assert (asked[0].id, asked[0].metadata) == (chat.id, {"team": "HR"})
        assert asked[0].columns["user_id"] == "ann"
        assert spoken(script.requests[-1]) == [("user", "How many days?")]
        assert [(message.role, message.text) for message in await chat.messages()] == [
            ("user", "How many days?"), ("assistant", "Thirty"),
        ]  # fmt: skip
        (run,) = await chat.runs()
        assert (run.status, run.question, run.is_submitted) == ("complete", None, True)
        second = await chat.submit("Sure?")
        await work_on(elsewhere, second, llm_for)
        assert spoken(script.requests[-1]) == [
            ("user", "How many days?"), ("assistant", "Thirty"), ("user", "Sure?"),
        ]  # fmt: skip

    async def test_questions_are_answered_in_the_order_of_their_submission(
        self, backend: Backend, elsewhere: Backend
    ) -> None:
        chat = await new_chat(backend, Script([say("half"), hang()]))
        asking = asyncio.create_task(chat.ask("first"))
        await until(lambda: has_journal(backend, chat))
        twin = await load(elsewhere, chat, Script())
        run_ids = [await each.submit(f"{n}") for n, each in enumerate((chat, twin, chat))]
        assert run_ids == sorted(run_ids)
        script = Script()

        for later in reversed(run_ids):
            with pytest.raises(ChatBusy) as busy:
                await answer(elsewhere, later, script)
            assert busy.value.run_id not in run_ids
        await chat.stop()
        with pytest.raises(RunStopped):
            await asking
        for later in reversed(run_ids[1:]):
            with pytest.raises(ChatBusy) as busy:
                await answer(elsewhere, later, script)
            assert busy.value.run_id == run_ids[0]

        for n, run_id in enumerate(run_ids):
            script.then([say(f"to {n}")])
            assert (await answer(elsewhere, run_id, script)).text == f"to {n}"
        texts = [message.text for message in await chat.messages()]
        assert texts == ["first", "half", "0", "to 0", "1", "to 1", "2", "to 2"]

    @pytest.mark.parametrize("on_busy", ["reject", "interrupt"])
    async def test_a_question_that_does_not_wait_comes_before_those_that_do(
        self, backend: Backend, elsewhere: Backend, on_busy: Literal["reject", "interrupt"]
    ) -> None:
        """What is queued is not active: nothing is rejected or interrupted for it."""
        chat = await new_chat(backend, Script([say("now")]), on_busy=on_busy)
        run_id = await chat.submit("1")

        assert (await chat.ask("2")).text == "now"

        await answer(elsewhere, run_id, Script([say("then")]))
        texts = [message.text for message in await chat.messages()]
        assert texts == ["2", "now", "1", "then"]

    async def test_a_worker_may_wait_for_the_turn_of_its_run(
        self, backend: Backend, elsewhere: Backend
    ) -> None:
        chat = await new_chat(backend, Script())
        first, second = await chat.submit("1"), await chat.submit("2")
        script = Script([say("two")])

        waiting = asyncio.create_task(answer(elsewhere, second, script, on_busy="wait"))
        await asyncio.sleep(0.05)
        await answer(backend, first, Script([say("one")]))

        assert (await waiting).text == "two"
        assert [run.status for run in await chat.runs()] == ["complete"] * 2

    async def test_a_question_that_waits_in_a_process_comes_after_those_submitted_before(
        self, backend: Backend, elsewhere: Backend
    ) -> None:
        chat = await new_chat(backend, Script([say("last")]), on_busy="wait")
        run_id = await chat.submit("1")

        asking = asyncio.create_task(chat.ask("2"))
        # What is submitted while that waits comes after it.
        await until(lambda: _has_run(chat, "waiting"))
        later = await chat.submit("3")
        await answer(elsewhere, run_id, Script([say("first")]))
        assert (await asking).text == "last"
        await answer(elsewhere, later, Script([say("after")]))

        texts = [message.text for message in await chat.messages()]
        assert texts == ["1", "first", "2", "last", "3", "after"]

    async def test_a_key_that_is_repeated_is_the_same_run(
        self, backend: Backend, elsewhere: Backend
    ) -> None:
        chat = await new_chat(backend, Script())
        twin = await load(elsewhere, chat, Script())

        run_ids = await asyncio.gather(
            *(each.submit("Hi!", idempotency_key="k") for each in (chat, twin) * 4)
        )

        assert len(set(run_ids)) == 1
        with pytest.raises(SentBefore) as sent:
            await twin.submit("Bye!", idempotency_key="k")
        assert sent.value.run_id == run_ids[0]
        await answer(elsewhere, run_ids[0], Script([say("Hello")]))
        assert await chat.submit("Hi!", idempotency_key="k") == run_ids[0]
        assert (await chat.ask("Hi!", idempotency_key="k")).text == "Hello"

    async def test_one_worker_answers_a_run_and_the_others_are_told(
        self, backend: Backend, elsewhere: Backend
    ) -> None:
        chat = await new_chat(backend, Script())
        run_id = await chat.submit("Hi!")
        script = Script([say("half"), hang()])
        working = [
            asyncio.create_task(answer(each, run_id, script))
            for each in (backend, elsewhere, backend, elsewhere)
        ]

        done, pending = set(), set(working)
        while len(pending) > 1:
            finished, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            done |= finished
        for lost in done:
            with pytest.raises(AnsweredElsewhere) as elsewhere_:
                await lost
            assert elsewhere_.value.run_id == run_id
        await until(lambda: has_journal(backend, chat))
        await chat.stop()
        with pytest.raises(RunStopped):
            await pending.pop()
        assert len(script.requests) == 1

    async def test_a_run_that_has_ended_is_not_answered_again(
        self, backend: Backend, elsewhere: Backend
    ) -> None:
        chat = await new_chat(backend, Script())
        run_id = await chat.submit("Hi!")
        first = await answer(elsewhere, run_id, Script([say("Hello")]))

        again = await answer(backend, run_id, Script())
        assert (again.text, again.message_id) == (first.text, first.message_id)

        failed = await chat.submit("And?")
        with pytest.raises(ProviderError):
            await answer(backend, failed, Script([say("half"), fail(RuntimeError())]), retries=0)
        with pytest.raises(ProviderError):
            await answer(elsewhere, failed, Script())
        resumed = Script([say("whole")])
        reply = await work_on(elsewhere, failed, lambda _: resumed, retry=True)
        assert reply.text == "whole"
        with pytest.raises(RunNotFound):
            await answer(backend, new_id(), Script())

    async def test_a_queued_question_is_stopped_and_kept(
        self, backend: Backend, elsewhere: Backend
    ) -> None:
        chat = await new_chat(backend, Script())
        twin = await load(elsewhere, chat, Script())
        first, second = await chat.submit("1"), await chat.submit("2")
        following = asyncio.create_task(read(twin.follow(first)))
        await asyncio.sleep(0.05)

        assert await twin.stop(first) is True

        assert await twin.stop(first) is False
        with pytest.raises(RunStopped):
            await following
        with pytest.raises(RunStopped):
            await answer(elsewhere, first, Script())
        _, stopped = await chat.runs()
        assert (stopped.status, stopped.question_text) == ("interrupted", "1")
        assert stopped.error is not None
        assert await backend.store.count_runs(status="queued", scope={}, chat_id=chat.id) == 1
        assert (await answer(elsewhere, second, Script([say("two")]))).text == "two"
        assert [message.text for message in await chat.messages()] == ["2", "two"]

    async def test_a_parked_run_goes_on_once_its_last_call_is_decided(
        self, backend: Backend, elsewhere: Backend
    ) -> None:
        paid: list[int] = []
        tools = [Tool(paying(paid), requires_approval=True)]
        chat = await new_chat(backend, Script(), tools=tools)
        run_id = await chat.submit("Pay")
        script = Script([call("pay", "c1", n=5), call("pay", "c2", n=6)])
        reply = await answer(elsewhere, run_id, script, tools=tools)
        assert len(reply.awaiting_approval) == 2
        assert len((await answer(elsewhere, run_id, script, tools=tools)).awaiting_approval) == 2

        decided = await asyncio.gather(chat.approve("c1"), chat.deny("c2", reason="too much"))

        assert sorted(decided, key=str) == sorted([None, run_id], key=str)
        assert (await chat.runs(status="queued"))[0].id == run_id
        reply = await answer(elsewhere, run_id, Script([say("Paid.")]), tools=tools)
        assert (reply.text, paid) == ("Paid.", [5])

    async def test_a_failed_run_is_resumed_by_a_worker(
        self, backend: Backend, elsewhere: Backend
    ) -> None:
        script = Script([say("half"), fail(RuntimeError("cut"))])
        chat = await new_chat(backend, script, retries=0)
        with pytest.raises(ProviderError):
            await chat.ask("Hi!")

        run_id = await chat.submit_resume()

        assert await chat.submit_resume() == run_id
        assert (await answer(elsewhere, run_id, Script([say("whole")]))).text == "whole"

    async def test_files_of_a_queued_question_are_sent(
        self, backend: Backend, elsewhere: Backend
    ) -> None:
        chat = await new_chat(backend, Script())
        file = Attachment(data=b"%PDF-1.4 rules", media_type="application/pdf", name="rules.pdf")
        run_id = await chat.submit("What does it say?", attachments=[file])
        script = Script([say("Rules")])

        await answer(elsewhere, run_id, script)

        (prompt,) = script.requests[-1][0].parts
        assert isinstance(prompt, UserPromptPart)
        assert [part.data for part in prompt.content if isinstance(part, BinaryContent)] == [
            file.data
        ]
        question, _ = await chat.messages()
        assert [attached.name for attached in question.attachments] == ["rules.pdf"]

    async def test_a_worker_drains_the_queue(self, backend: Backend, elsewhere: Backend) -> None:
        chats = [await new_chat(backend, Script()) for _ in range(3)]
        run_ids = [await chat.submit(f"{n}") for n in range(2) for chat in chats]
        mine = {chat.id for chat in chats}
        stop = asyncio.Event()

        def llm_for(record: ChatRecord) -> object:
            if record.id not in mine:
                msg = "a chat of another test"
                raise ChatBusy(msg)
            return Script([say("ok")])

        working = asyncio.create_task(work(elsewhere, llm_for, stop=stop))
        streams = [chat.follow(run_id) for chat, run_id in zip(chats * 2, run_ids, strict=True)]
        replies = await asyncio.gather(*(stream._whole() for stream in streams))
        stop.set()
        await working

        assert [reply.text for reply in replies] == ["ok"] * 6
        for chat in chats:
            assert [row.text for row in await chat.messages()] == ["0", "ok", "1", "ok"]


async def _has_run(chat: Chat, status: RunStatus) -> bool:
    return bool(await chat.runs(status=status))
